import CMongo

/// One write of a bulk.
package enum MongoWrite: Sendable {
    case insert(BSONDocument)
    /// Writes the document in the place of the one that the filter finds, or anew.
    case replace(filter: BSONDocument, BSONDocument)
    /// Changes the one that the filter finds; `update` is a document of operators. Makes one when there is none and `upsert` is set.
    case update(filter: BSONDocument, BSONDocument, upsert: Bool)
    /// The same by a pipeline of aggregation stages.
    case updateByPipeline(filter: BSONDocument, [BSONDocument], upsert: Bool)
    case deleteOne(filter: BSONDocument)
    case deleteMany(filter: BSONDocument)
}

/// What a bulk did.
package struct MongoWriteResult: Equatable, Sendable {
    package var matched = 0
    package var modified = 0
    package var upserted = 0
    package var inserted = 0
    package var deleted = 0

    package init(matched: Int = 0, modified: Int = 0, upserted: Int = 0, inserted: Int = 0, deleted: Int = 0) {
        self.matched = matched
        self.modified = modified
        self.upserted = upserted
        self.inserted = inserted
        self.deleted = deleted
    }
}

extension MongoClient {
    /// Writes of one call; libmongoc sends them in messages of what the server takes.
    package static let writesMax = 100_000

    /// Does the writes in order, up to the first that is refused. One command where it can be; libmongoc repeats it once when the primary changes
    /// ("retryable writes"), `deleteMany` excepted.
    @discardableResult
    package func write(_ writes: [MongoWrite], in name: String) throws(MongoError) -> MongoWriteResult {
        guard !writes.isEmpty else { return MongoWriteResult() }
        let operation = "write into " + name
        guard writes.count <= Self.writesMax else {
            throw MongoError(.tooMuch, operation: operation, detail: "\(writes.count) writes, \(Self.writesMax) is the most")
        }
        let arena = BSONArena(operation)
        let collection = makeCollection(name)
        defer {
            mongoc_collection_destroy(collection)
            arena.free()
        }
        let more = try sessionOptions(operation, arena, ["ordered": true])
        guard let bulk = mongoc_collection_create_bulk_operation_with_opts(collection, more) else {
            throw MongoError(.failed, operation: operation, detail: "out of memory")
        }
        defer { mongoc_bulk_operation_destroy(bulk) }
        for write in writes { try add(write, to: bulk, operation) }
        let reply = arena.addReply()
        var error = bson_error_t()
        guard mongoc_bulk_operation_execute(bulk, reply, &error) != 0 else { throw failure(operation, error, arena.readIfPossible(reply)) }
        return Self.result(try arena.read(reply))
    }

    private func add(_ write: MongoWrite, to bulk: OpaquePointer, _ operation: String) throws(MongoError) {
        // What is added is copied by libmongoc at once.
        let arena = BSONArena(operation)
        defer { arena.free() }
        var error = bson_error_t()
        let isTaken: Bool
        switch write {
        case .insert(let document): isTaken = mongoc_bulk_operation_insert_with_opts(bulk, try arena.add(document), nil, &error)
        case .replace(let filter, let document):
            isTaken = mongoc_bulk_operation_replace_one_with_opts(
                bulk, try arena.add(filter), try arena.add(document), try arena.add(["upsert": true]), &error)
        case .update(let filter, let update, let upsert):
            isTaken = mongoc_bulk_operation_update_one_with_opts(
                bulk, try arena.add(filter), try arena.add(update), try arena.add(["upsert": .bool(upsert)]), &error)
        case .updateByPipeline(let filter, let stages, let upsert):
            let pipeline = BSONDocument(stages.enumerated().map { (String($0), .document($1)) })
            isTaken = mongoc_bulk_operation_update_one_with_opts(
                bulk, try arena.add(filter), try arena.add(pipeline), try arena.add(["upsert": .bool(upsert)]), &error)
        case .deleteOne(let filter): isTaken = mongoc_bulk_operation_remove_one_with_opts(bulk, try arena.add(filter), nil, &error)
        case .deleteMany(let filter): isTaken = mongoc_bulk_operation_remove_many_with_opts(bulk, try arena.add(filter), nil, &error)
        }
        guard isTaken else { throw failure(operation, error).as(.encoding) }
    }

    private static func result(_ reply: BSONDocument) -> MongoWriteResult {
        func number(_ name: String) -> Int { Int(clamping: reply[name]?.integer ?? 0) }
        return MongoWriteResult(
            matched: number("nMatched"), modified: number("nModified"), upserted: number("nUpserted"), inserted: number("nInserted"),
            deleted: number("nRemoved"))
    }
}
