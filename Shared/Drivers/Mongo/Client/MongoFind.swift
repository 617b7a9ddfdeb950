import CMongo

/// Which documents are asked for.
package struct MongoFind: Sendable {
    package var filter: BSONDocument
    package var sort: BSONDocument
    /// Only these fields, where it is not empty.
    package var projection: BSONDocument
    package var skip: Int
    package var limit: Int

    package init(_ filter: BSONDocument, sort: BSONDocument = [:], projection: BSONDocument = [:], skip: Int = 0, limit: Int) {
        self.filter = filter
        self.sort = sort
        self.projection = projection
        self.skip = skip
        self.limit = limit
    }

    /// As the command `find` has it, for `explain`.
    package func command(in collection: String) -> BSONDocument {
        var command: BSONDocument = ["find": .string(collection), "filter": .document(filter)]
        for (name, value) in options.members { command.append(name, value) }
        return command
    }

    var options: BSONDocument {
        var options: BSONDocument = ["limit": .int64(Int64(limit))]
        if !sort.isEmpty { options.append("sort", .document(sort)) }
        if !projection.isEmpty { options.append("projection", .document(projection)) }
        if skip > 0 { options.append("skip", .int64(Int64(skip))) }
        return options
    }
}

extension MongoClient {
    /// Bytes of one answer: what is found is in memory.
    package static let answerBytesMax = 256 * 1024 * 1024
    /// Documents that the server sends at once.
    private static let batchDocuments: Int32 = 1_000

    package func find(_ query: MongoFind, in name: String) throws(MongoError) -> [BSONDocument] {
        guard query.limit > 0 else { return [] }
        var documents: [BSONDocument] = []
        try forEach(query, in: name) { (document) throws(MongoError) in documents.append(document) }
        return documents
    }

    /// Hands over what is found one by one.
    package func forEach(_ query: MongoFind, in name: String, _ body: (BSONDocument) throws(MongoError) -> Void) throws(MongoError) {
        let operation = "find in " + name
        var options = query.options
        options.append("batchSize", .int32(Self.batchDocuments))
        options.append("maxTimeMS", .int64(self.options.questionTimeout))
        let arena = BSONArena(operation)
        let collection = makeCollection(name)
        defer {
            mongoc_collection_destroy(collection)
            arena.free()
        }
        let filter = try arena.add(query.filter)
        let more = try sessionOptions(operation, arena, options)
        guard let cursor = mongoc_collection_find_with_opts(collection, filter, more, nil) else {
            throw MongoError(.command, operation: operation, detail: "libmongoc takes no such question")
        }
        // "Destroys the cursor … and tells the server": also when it is left half-way.
        defer { mongoc_cursor_destroy(cursor) }
        var bytes = 0
        var next: OpaquePointer?
        while mongoc_cursor_next(cursor, &next), let document = next {
            bytes += Int(farwatch_bson_length(document))
            guard bytes <= Self.answerBytesMax else {
                throw MongoError(.tooMuch, operation: operation, detail: "more than \(Self.answerBytesMax) bytes")
            }
            try body(try arena.read(document))
        }
        var error = bson_error_t()
        var said: OpaquePointer?
        if mongoc_cursor_error_document(cursor, &error, &said) { throw failure(operation, error, arena.readIfPossible(said)) }
    }

    package func count(_ filter: BSONDocument, in name: String) throws(MongoError) -> Int {
        let operation = "count in " + name
        let arena = BSONArena(operation)
        let collection = makeCollection(name)
        defer {
            mongoc_collection_destroy(collection)
            arena.free()
        }
        let condition = try arena.add(filter)
        let more = try sessionOptions(operation, arena, ["maxTimeMS": .int64(options.questionTimeout)])
        let reply = arena.addReply()
        var error = bson_error_t()
        let count = mongoc_collection_count_documents(collection, condition, more, nil, reply, &error)
        guard count >= 0 else { throw failure(operation, error, arena.readIfPossible(reply)) }
        return Int(count)
    }
}
