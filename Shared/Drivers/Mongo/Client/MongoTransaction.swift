import CMongo
import Glibc
import LinuxDriver

extension MongoClient {
    /// How often a transaction is begun anew that met another, or a change of the primary.
    package static let transactionAttemptsMax = 8
    /// How often a commit is repeated whose answer was lost.
    private static let commitAttemptsMax = 3
    /// The bounds of the pauses between, in milliseconds; each is a random part of its bound.
    private static let pauseBase: Int64 = 5
    private static let pauseCap: Int64 = 500

    /// Runs `body` in a transaction on a view of one moment, and commits it on a majority of the servers. The whole of it again when the server says
    /// that it may be: `body` must not change anything else. Needs a replica set. Not to be nested.
    package func transaction<Result>(_ body: (MongoClient) throws(MongoError) -> Result) throws(MongoError) -> Result {
        guard session == nil else { throw MongoError(.command, operation: "begin a transaction", detail: "one is open already") }
        var backoff = Backoff(base: Self.pauseBase, cap: Self.pauseCap)
        for attempt in 1...Self.transactionAttemptsMax {
            do throws(MongoError) { return try attemptTransaction(body) } catch {
                guard error.isTransactionTransient, !isLate else { throw error }
                guard attempt < Self.transactionAttemptsMax else {
                    throw MongoError(.conflict, operation: error.operation, code: error.code, detail: error.detail, labels: error.labels)
                }
            }
            usleep(UInt32(clamping: backoff.next(random: Random.uint64()) * 1_000))
        }
        preconditionFailure("the last attempt returns or throws")
    }

    private func attemptTransaction<Result>(_ body: (MongoClient) throws(MongoError) -> Result) throws(MongoError) -> Result {
        let operation = "begin a transaction"
        var error = bson_error_t()
        guard let session = mongoc_client_start_session(handle, nil, &error) else { throw failure(operation, error) }
        // "If a transaction is in progress, it is aborted" by it.
        defer {
            self.session = nil
            mongoc_client_session_destroy(session)
        }
        let options = makeOptions()
        defer { mongoc_transaction_opts_destroy(options) }
        guard mongoc_client_session_start_transaction(session, options, &error) else { throw failure(operation, error) }
        self.session = session
        let result = try body(self)
        try commit(session)
        return result
    }

    private func commit(_ session: OpaquePointer) throws(MongoError) {
        var lost: MongoError?
        for _ in 0..<Self.commitAttemptsMax {
            let arena = BSONArena("commit")
            defer { arena.free() }
            let reply = arena.addReply()
            var error = bson_error_t()
            if mongoc_client_session_commit_transaction(session, reply, &error) { return }
            let failure = failure("commit", error, arena.readIfPossible(reply))
            guard failure.labels.contains("UnknownTransactionCommitResult") else { throw failure }
            lost = failure
            if isLate { break }
        }
        throw lost?.as(.outcomeUnknown) ?? MongoError(.outcomeUnknown, operation: "commit", detail: "no answer")
    }

    private func makeOptions() -> OpaquePointer? {
        let options = mongoc_transaction_opts_new()
        let read = mongoc_read_concern_new()
        let write = mongoc_write_concern_new()
        defer {
            mongoc_read_concern_destroy(read)
            mongoc_write_concern_destroy(write)
        }
        mongoc_read_concern_set_level(read, MONGOC_READ_CONCERN_LEVEL_SNAPSHOT)
        mongoc_write_concern_set_wmajority(write, self.options.writeTimeout)
        mongoc_write_concern_set_journal(write, true)
        mongoc_transaction_opts_set_read_concern(options, read)
        mongoc_transaction_opts_set_write_concern(options, write)
        return options
    }
}
