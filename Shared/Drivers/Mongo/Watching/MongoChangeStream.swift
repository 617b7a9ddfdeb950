import CMongo

/// The owner of a mongoc_change_stream_t: what happens to documents of a database, from its opening on or from where an earlier one was. Needs a
/// replica set. Used from one thread at a time, as its client is; calls block.
final class MongoChangeStream {
    /// How long the server is waited for when nothing happens, milliseconds.
    static let waitMax: Int64 = 500
    private static let operation = "watch changes"

    private let client: MongoClient
    /// Goes after the stream.
    private let borrowed: BorrowedClient
    private let handle: OpaquePointer
    private let arena = BSONArena(operation)

    /// - Parameter token: where the one before was, see `resumeToken`.
    init(_ borrowed: BorrowedClient, _ options: MongoOptions, _ watch: MongoWatch, after token: BSONDocument?) throws(MongoError) {
        self.borrowed = borrowed
        client = MongoClient(borrowing: borrowed.handle, options: options)
        var more: BSONDocument = ["maxAwaitTimeMS": .int64(Self.waitMax)]
        if let token { more.append("resumeAfter", .document(token)) }
        let arena = BSONArena(Self.operation)
        let database = mongoc_client_get_database(client.handle, client.options.database)
        defer {
            mongoc_database_destroy(database)
            arena.free()
        }
        let pipeline = try arena.add(watch.pipeline)
        guard let handle = mongoc_database_watch(database, pipeline, try arena.add(more)) else {
            throw MongoError(.command, operation: Self.operation, detail: "libmongoc takes no such stream")
        }
        self.handle = handle
        // "mongoc_database_watch … errors can be retrieved with mongoc_change_stream_error_document".
        if let error = failure { throw error }
    }

    deinit {
        arena.free()
        mongoc_change_stream_destroy(handle)
    }

    /// What happened since the last call, at most `max`; waits for the first of it no longer than `waitMax`, and then there is none.
    func next(max: Int) throws(MongoError) -> [MongoChange] {
        var changes: [MongoChange] = []
        var event: OpaquePointer?
        // Past the first, what waits at the server is fetched, and a moment without any ends it.
        for _ in 0..<max {
            guard mongoc_change_stream_next(handle, &event), let event else { break }
            if let change = MongoChange(try arena.read(event)) { changes.append(change) }
        }
        if let error = failure { throw error }
        return changes
    }

    /// Where it is now: one that is opened after it misses nothing and tells nothing again.
    var resumeToken: BSONDocument? {
        guard let token = mongoc_change_stream_get_resume_token(handle) else { return nil }
        let read = arena.readIfPossible(token)
        return read.isEmpty ? nil : read
    }

    private var failure: MongoError? {
        var error = bson_error_t()
        var said: OpaquePointer?
        guard mongoc_change_stream_error_document(handle, &error, &said) else { return nil }
        return client.failure(Self.operation, error, arena.readIfPossible(said))
    }
}
