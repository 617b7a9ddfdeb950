import CMongo

/// A client out of the pool, used from one thread at a time; calls block. Its connections are libmongoc's own.
package final class MongoClient {
    /// Which server is asked, and what libmongoc may repeat.
    package enum CommandKind: Sendable {
        case read, write
    }

    let handle: OpaquePointer
    let options: MongoOptions
    /// Of the open transaction.
    var session: OpaquePointer?
    /// After it nobody waits for what is done, and nothing is tried again.
    package internal(set) var deadline: ContinuousClock.Instant?

    init(borrowing handle: OpaquePointer, options: MongoOptions) {
        self.handle = handle
        self.options = options
    }

    package var isLate: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }
    package var isInTransaction: Bool { session != nil }
    package var database: String { options.database }

    /// Runs a command whose first member is its name.
    /// - Parameter database: the URI's when nil.
    @discardableResult
    package func command(_ command: BSONDocument, on database: String? = nil, _ kind: CommandKind = .read) throws(MongoError) -> BSONDocument {
        let operation = "run " + (command.members.first?.name ?? "nothing")
        let arena = BSONArena(operation)
        defer { arena.free() }
        let request = try arena.add(command)
        let more = try sessionOptions(operation, arena)
        let reply = arena.addReply()
        var error = bson_error_t()
        let name = database ?? options.database
        let isDone =
            switch kind {
            case .read: mongoc_client_read_command_with_opts(handle, name, request, nil, more, reply, &error)
            case .write: mongoc_client_write_command_with_opts(handle, name, request, more, reply, &error)
            }
        guard isDone else { throw failure(operation, error, arena.readIfPossible(reply)) }
        return try arena.read(reply)
    }

    /// Options of a call with the transaction that it belongs to.
    func sessionOptions(_ operation: String, _ arena: BSONArena, _ document: BSONDocument = BSONDocument()) throws(MongoError) -> OpaquePointer {
        let options = try arena.add(document)
        guard let session else { return options }
        var error = bson_error_t()
        guard mongoc_client_session_append(session, options, &error) else { throw failure(operation, error) }
        return options
    }

    /// To be destroyed by the caller.
    func makeCollection(_ name: String) -> OpaquePointer { mongoc_client_get_collection(handle, options.database, name) }

    func failure(_ operation: String, _ error: bson_error_t, _ reply: BSONDocument = BSONDocument()) -> MongoError {
        MongoFailure(operation: operation, options: options).error(error, reply: reply)
    }
}
