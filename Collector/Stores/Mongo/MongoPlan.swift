import DocumentStores
import MongoDriver

/// Changes of documents as writes: what goes to one collection in one message, in order.
struct MongoPlan {
    enum Step {
        case write([MongoWrite], collection: String)
        case keepGreatest(Int, by: String, collection: String)
    }

    private(set) var steps: [Step] = []
    /// What was read before, where no transaction keeps it as it was: a document is written only if it is still the one that was read. By id; nil for
    /// one that was not there.
    private let revisions: [Collection: [String: Int64?]]
    private let revision: Int64
    /// Not yet among the steps: those to one collection, after each other.
    private var writes: [MongoWrite] = []
    private var collection: Collection?
    /// Documents that this plan writes: a second time they are its own.
    private var written: [Collection: Set<String>] = [:]

    /// One write changes one document, or none: it needs no transaction.
    var isSingleWrite: Bool {
        guard steps.count == 1, case .write(let writes, _) = steps[0], writes.count == 1 else { return false }
        if case .deleteMany = writes[0] { return false }
        return true
    }

    init(_ changes: [DocumentChange], revisions: [Collection: [String: Int64?]] = [:]) throws(MongoError) {
        self.revisions = revisions
        revision = Revision.new()
        for change in changes { try add(change) }
        finishWrites()
    }

    private mutating func add(_ change: DocumentChange) throws(MongoError) {
        switch change {
        case .upsert(let document, let collection):
            let coded = try coded(document, collection)
            add(.replace(filter: filter(document.id, collection), coded), collection)
        case .upsertUnlessOlder(let document, let field, let collection): add(try unlessOlder(document, field, collection), collection)
        case .delete(let id, let collection): add(.deleteOne(filter: [FieldName.id: .string(id)]), collection)
        case .deleteAll(let conditions, let collection):
            if let filter = MongoQueries(collection).filter(conditions) { add(.deleteMany(filter: filter), collection) }
        case .keepGreatest(let count, let field, let collection):
            finishWrites()
            steps.append(.keepGreatest(count, by: field, collection: collection.name))
        }
    }

    private mutating func add(_ write: MongoWrite, _ collection: Collection) {
        if self.collection != collection { finishWrites() }
        self.collection = collection
        writes.append(write)
    }

    private mutating func finishWrites() {
        guard let collection, !writes.isEmpty else { return }
        steps.append(.write(writes, collection: collection.name))
        writes = []
    }

    private func coded(_ document: Document, _ collection: Collection) throws(MongoError) -> BSONDocument {
        try DocumentCoding(collection).encode(document, revision: revision)
    }

    /// Of a document that another has written meanwhile nothing is found: then one would be made anew, and its id is taken.
    private mutating func filter(_ id: String, _ collection: Collection) -> BSONDocument {
        var filter = Self.filter(id, collection)
        if let known = revisions[collection]?[id], written[collection, default: []].insert(id).inserted {
            filter.append(FieldName.revision, known.map { .int64($0) } ?? ["$exists": false])
        }
        return filter
    }

    /// A cluster makes a document only where it is told its shard key, which of some collections is another name of the id.
    private static func filter(_ id: String, _ collection: Collection) -> BSONDocument {
        var filter: BSONDocument = [FieldName.id: .string(id)]
        if let identity = MongoCollection.of(collection).identity { filter.append(identity, .string(id)) }
        return filter
    }

    private func unlessOlder(_ document: Document, _ field: String, _ collection: Collection) throws(MongoError) -> MongoWrite {
        var coded = try coded(document, collection)
        guard let value = coded[field], value != .null else {
            // Older than any that has the field: it is written only where there is none.
            coded[FieldName.id] = nil
            return .update(filter: Self.filter(document.id, collection), ["$setOnInsert": .document(coded)], upsert: true)
        }
        let isOlder: BSONValue = ["$gt": [.string("$" + field), ["$literal": value]]]
        let stage: BSONDocument = ["$replaceWith": ["$cond": [isOlder, "$$ROOT", ["$literal": .document(coded)]]]]
        return .updateByPipeline(filter: Self.filter(document.id, collection), [stage], upsert: true)
    }

    // MARK: Doing it

    func run(_ client: MongoClient) throws(MongoError) {
        for step in steps {
            switch step {
            case .write(let writes, let collection): try client.write(writes, in: collection)
            case .keepGreatest(let count, let field, let collection):
                guard let first = try client.find(MongoQueries.firstBeyond(count, by: field), in: collection).first else { continue }
                try client.write([.deleteMany(filter: MongoQueries.from(first, by: field))], in: collection)
            }
        }
    }
}
