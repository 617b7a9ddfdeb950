import Foundation
import MongoDriver

/// A single server, or a replica set.
package final class MongoDeployment: Sendable {
    /// Name of the sets.
    private static let setName = "rs0"
    private static let electionTimeout: Int64 = 1_000

    package enum Kind: String, Sendable, CaseIterable, CustomStringConvertible {
        case single
        case replicaSet = "replica_set"

        package var description: String { rawValue }
    }

    package let nodes: [MongoNode]
    package let kind: Kind

    /// - Parameter members: of a replica set.
    package init(_ kind: Kind, members: Int = 3, options: [String] = []) throws {
        self.kind = kind
        switch kind {
        case .single: nodes = [try MongoNode(options)]
        case .replicaSet: nodes = try (0..<members).map { _ in try MongoNode(["--replSet", Self.setName] + options) }
        }
        if kind == .replicaSet { try initiate() }
    }

    private func initiate() throws {
        let options = try MongoOptions("mongodb://" + nodes[0].address + "/?directConnection=true")
        let members = nodes.enumerated().map { index, node -> BSONValue in
            // The first is elected at the beginning, and again when it is back: what a test waits for.
            ["_id": .int32(Int32(index)), "host": .string(node.address), "priority": .double(index == 0 ? 2 : 1)]
        }
        let configuration: BSONValue = [
            "_id": .string(Self.setName), "members": .array(members), "settings": ["electionTimeoutMillis": .int64(Self.electionTimeout)],
        ]
        try MongoSession.run(options) { (client) throws(MongoError) in
            try client.command(["replSetInitiate": configuration], on: "admin")
            for _ in 0..<1_200 {
                if try client.command(["hello": 1], on: "admin")["isWritablePrimary"]?.bool == true { return }
                usleep(25_000)
            }
            throw MongoError(.unreachable, operation: "initiate", detail: "no primary came up")
        }
    }

    /// How long the members of a replica set do without a primary's word, and it without theirs, before another is elected.
    package func set(electionTimeout: Int64) throws {
        try MongoSession.run(options()) { (client) throws(MongoError) in
            guard var configuration = try client.command(["replSetGetConfig": 1], on: "admin")["config"]?.document,
                var settings = configuration["settings"]?.document
            else { throw MongoError(.decoding, operation: "read the set's configuration", detail: "there is none") }
            settings["electionTimeoutMillis"] = .int64(electionTimeout)
            configuration["settings"] = .document(settings)
            configuration["version"] = .int64((configuration["version"]?.integer ?? 0) + 1)
            try client.command(["replSetReconfig": .document(configuration)], on: "admin")
        }
    }

    // MARK: Coming in

    package var uri: String {
        "mongodb://" + nodes.map { $0.address }.joined(separator: ",") + "/" + (kind == .replicaSet ? "?replicaSet=" + Self.setName : "")
    }

    /// An empty database for one test, and how to come to it.
    package func options(database: String = "test_" + UUID().uuidString.prefix(8)) throws -> MongoOptions {
        var options = try MongoOptions(uri)
        try options.set(database: database)
        return options
    }

    /// The member that is primary now.
    package func primary() throws -> MongoNode {
        let address = try MongoSession.run(options()) { (client) throws(MongoError) in try client.command(["hello": 1], on: "admin")["me"]?.text }
        guard let found = nodes.first(where: { $0.address == address }) else { throw MongoNode.NotStarted(description: "no primary") }
        return found
    }
}

/// One client for a test, on the thread that asks.
package enum MongoSession {
    @discardableResult
    package static func run<Value: Sendable>(
        _ options: MongoOptions, _ body: (MongoClient) throws(MongoError) -> Value
    ) throws(MongoError) -> Value {
        try MongoClient.withOwnPool(options, body)
    }
}

/// One deployment a kind for all tests that do not harm it.
package enum SharedMongo {
    private static let single = Result { try MongoDeployment(.single) }
    private static let replicaSet = Result { try MongoDeployment(.replicaSet) }

    package static func deployment(_ kind: MongoDeployment.Kind) throws -> MongoDeployment {
        switch kind {
        case .single: try single.get()
        case .replicaSet: try replicaSet.get()
        }
    }
}
