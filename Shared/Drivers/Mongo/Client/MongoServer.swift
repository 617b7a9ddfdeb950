import CMongo

/// What answers at the other end.
package struct MongoServer: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case single, replicaSet = "replica_set", sharded
    }

    /// "errInfo.details", which name the field that a document breaks a rule by, came with 5.0, whose wire version is 13.
    package static let wireVersionMin: Int64 = 13

    package let kind: Kind
    /// E.g. 6.0.5.
    package let version: String
    /// The replica set that it says it is a member of.
    package let setName: String?

    package init(kind: Kind, version: String, setName: String? = nil) {
        self.kind = kind
        self.version = version
        self.setName = setName
    }

    /// Several documents can be changed as one.
    package var hasTransactions: Bool { kind != .single }

    package var description: String {
        switch kind {
        case .single: "MongoDB \(version), a single server"
        case .replicaSet: "MongoDB \(version), a replica set"
        case .sharded: "MongoDB \(version), a sharded cluster"
        }
    }
}

extension MongoClient {
    /// Asks the primary what it is.
    package func server() throws(MongoError) -> MongoServer {
        let hello = try command(["hello": 1], on: "admin")
        let version = try command(["buildInfo": 1], on: "admin")["version"]?.text ?? "of unknown version"
        guard hello["maxWireVersion"]?.integer ?? 0 >= MongoServer.wireVersionMin else {
            throw MongoError(
                .unsupportedServer, operation: "connect", detail: "the server is MongoDB \(version); 5.0 is the oldest that works")
        }
        let kind: MongoServer.Kind = hello["msg"]?.text == "isdbgrid" ? .sharded : hello["setName"] != nil ? .replicaSet : .single
        return MongoServer(kind: kind, version: version, setName: hello["setName"]?.text.map(MongoDetail.clean))
    }

    package func ping() throws(MongoError) { try command(["ping": 1], on: "admin") }
}
