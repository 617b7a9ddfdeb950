import MongoDriver

/// Brings a database's collections, indexes and rules to where this program knows them. What it does can be done again and by several at once.
package struct MongoSetup {
    /// Of what is set up; a database that has a later one was written by a newer Farwatch.
    package static let version: Int64 = 1
    private static let marks = "farwatch_schema"
    private static let mark = "setup"
    private static let probe = "probe"
    /// NamespaceExists, AlreadyInitialized.
    private static let isThere: Set<Int> = [48, 23]

    private let client: MongoClient
    private let collections: [MongoCollection]

    package init(_ client: MongoClient, eventsKept: Duration?) {
        self.client = client
        collections = MongoCollection.all.map { collection in
            var collection = collection
            if let eventsKept, collection.name == "events" {
                for index in collection.indexes.indices where collection.indexes[index].name == MongoCollection.eventsExpire + "_1" {
                    collection.indexes[index].expiry = eventsKept.components.seconds
                }
            }
            return collection
        }
    }

    /// Something that is not as it should be.
    package enum Step: Sendable {
        case create(MongoCollection)
        case rules(MongoCollection)
        case index(MongoCollection.Index, of: MongoCollection)
        /// An index by the same fields or of the same name is there that does something else.
        case replace(String, MongoCollection.Index, of: MongoCollection)

        package var description: String {
            switch self {
            case .create(let collection): "collection \(collection.name)"
            case .rules(let collection): "rules of \(collection.name)"
            case .index(let index, let collection): "index \(index.name) of \(collection.name)"
            case .replace(let other, let index, let collection): "index \(index.name) of \(collection.name), in place of another (\(other))"
            }
        }
    }

    package struct Plan: Sendable {
        package let server: MongoServer
        package let steps: [Step]
        /// The version of a newer Farwatch; nil when it is not newer.
        package let unknown: Int64?
    }

    // MARK: Looking

    /// Changes nothing.
    package func plan() throws(MongoError) -> Plan {
        let server = try client.server()
        let version = try client.find(MongoFind([FieldName.id: .string(Self.mark)], limit: 1), in: Self.marks).first?["version"]?.integer
        if let version, version > Self.version { return Plan(server: server, steps: [], unknown: version) }
        let listed = try client.command(["listCollections": 1, "cursor": ["batchSize": 1_000]])
        var found: [String: BSONDocument] = [:]
        for collection in listed["cursor"]?.document?["firstBatch"]?.array ?? [] {
            if let document = collection.document, let name = document["name"]?.text { found[name] = document["options"]?.document ?? [:] }
        }
        var steps: [Step] = []
        for collection in collections {
            if let options = found[collection.name] {
                if !hasRules(options, collection) { steps.append(.rules(collection)) }
                steps += try missingIndexes(of: collection)
            } else {
                steps.append(.create(collection))
                steps += collection.indexes.map { .index($0, of: collection) }
            }
        }
        return Plan(server: server, steps: steps, unknown: nil)
    }

    /// Stricter or laxer by hand is laid over with ours: services rely on it.
    private func hasRules(_ options: BSONDocument, _ collection: MongoCollection) -> Bool {
        options["validator"]?.document == collection.validator && options["validationLevel"]?.text ?? "strict" == "strict"
            && options["validationAction"]?.text ?? "error" == "error"
    }

    private func missingIndexes(of collection: MongoCollection) throws(MongoError) -> [Step] {
        let listed = try client.command(["listIndexes": .string(collection.name), "cursor": ["batchSize": 1_000]])
        let descriptions = (listed["cursor"]?.document?["firstBatch"]?.array ?? []).compactMap { $0.document }
        let there = descriptions.compactMap(IndexThere.init)
        let names = Set(descriptions.compactMap { $0["name"]?.text })
        return collection.indexes.compactMap { index in
            if there.contains(where: { $0.does(for: index) }) { return nil }
            if let other = there.first(where: { $0.hasKeys(of: index) }) { return .replace(other.name, index, of: collection) }
            return names.contains(index.name) ? .replace(index.name, index, of: collection) : .index(index, of: collection)
        }
    }

    // MARK: Changing

    /// Does what is missing, and says what that was.
    package func apply() throws(MongoError) -> Plan {
        let plan = try plan()
        guard plan.unknown == nil else { return plan }
        for step in plan.steps { try apply(step, plan.server) }
        // "If the collection is not empty, you must create the index before": it may have been filled while there was no cluster.
        for index in Self.hashedIndexes(of: collections, on: plan.server) { try client.command(index, .write) }
        for command in Self.sharding(of: collections, in: client.database, on: plan.server) {
            try unlessThere { () throws(MongoError) in try client.command(command, on: "admin", .write) }
        }
        try client.write(
            [.update(filter: [FieldName.id: .string(Self.mark)], ["$max": ["version": .int64(Self.version)]], upsert: true)], in: Self.marks)
        return plan
    }

    /// A write as any other, which changes nothing that anybody reads.
    static func probe(_ client: MongoClient) throws(MongoError) {
        let update: BSONDocument = ["$currentDate": ["at": true]]
        try client.write([.update(filter: [FieldName.id: .string(probe)], update, upsert: true)], in: marks)
    }

    /// Whether the database says that it was set up.
    static func isMarked(_ client: MongoClient) throws(MongoError) -> Bool {
        try !client.find(MongoFind([FieldName.id: .string(mark)], limit: 1), in: marks).isEmpty
    }

    private func apply(_ step: Step, _ server: MongoServer) throws(MongoError) {
        switch step {
        case .create(let collection):
            try unlessThere { () throws(MongoError) in
                try client.command(["create": .string(collection.name), "validator": .document(collection.validator)], .write)
            }
        case .rules(let collection):
            try client.command(
                [
                    "collMod": .string(collection.name), "validator": .document(collection.validator), "validationLevel": "strict",
                    "validationAction": "error",
                ], .write)
        case .index(let index, let collection): try make(index, of: collection, server)
        case .replace(let other, let index, let collection):
            // An expiry cannot be taken off, nor can two be by the same fields: the index is made anew.
            try client.command(["dropIndexes": .string(collection.name), "index": .string(other)], .write)
            try make(index, of: collection, server)
        }
    }

    private func make(_ index: MongoCollection.Index, of collection: MongoCollection, _ server: MongoServer) throws(MongoError) {
        let keys = BSONDocument(index.keys.map { ($0.field, .int32($0.direction)) })
        var description: BSONDocument = ["key": .document(keys), "name": .string(index.name)]
        if index.isUnique { description.append("unique", true) }
        if let expiry = index.expiry { description.append("expireAfterSeconds", .int64(expiry)) }
        var command: BSONDocument = ["createIndexes": .string(collection.name), "indexes": [.document(description)]]
        // By itself it would wait for every member, also for one that is down.
        if server.kind != .single { command.append("commitQuorum", "majority") }
        try client.command(command, .write)
    }

    static func hashedIndexes(of collections: [MongoCollection], on server: MongoServer) -> [BSONDocument] {
        guard server.kind == .sharded else { return [] }
        return collections.filter { $0.identity == nil }.map { collection in
            let index: BSONDocument = ["key": .document(collection.shardKey), "name": .string(FieldName.id + "_hashed")]
            return ["createIndexes": .string(collection.name), "indexes": [.document(index)]]
        }
    }

    /// What spreads collections over a cluster by their keys; nothing where there is none. A collection that is spread already is one that is there.
    package static func sharding(of collections: [MongoCollection], in database: String, on server: MongoServer) -> [BSONDocument] {
        guard server.kind == .sharded else { return [] }
        return [["enableSharding": .string(database)]]
            + collections.map { collection in
                [
                    "shardCollection": .string(database + "." + collection.name), "key": .document(collection.shardKey),
                    "unique": .bool(collection.identity != nil),
                ]
            }
    }

    private func unlessThere(_ body: () throws(MongoError) -> BSONDocument) throws(MongoError) {
        do throws(MongoError) { _ = try body() } catch { guard let code = error.code, Self.isThere.contains(code) else { throw error } }
    }
}
