import CMongo
import ServiceSupport

/// Follows the changes of a database on a thread and a connection of its own, through the loss of servers: the stream is opened again where it was.
/// Who is cancelled stops asking; a call takes a bounded time.
package actor MongoWatcher {
    private let executor = ThreadExecutor(name: "mongo watch")
    private let pool: PoolHandle
    private let options: MongoOptions
    private let watch: MongoWatch
    private var client: BorrowedClient?
    private var stream: MongoChangeStream?
    private var token: BSONDocument?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(_ options: MongoOptions, _ watch: MongoWatch) throws(MongoError) {
        var options = options
        options.connectionsMax = 1
        self.options = options
        self.watch = watch
        pool = try PoolHandle(options, MongoMonitor { _ in })
    }

    /// What happened since the last call that did not fail, at most `max`. Waits half a second for the first of it, and then there is none. After an
    /// error with `isHistoryLost` it begins at the present.
    package func next(max: Int) throws(MongoError) -> [MongoChange] {
        do throws(MongoError) {
            let stream = try open()
            let changes = try stream.next(max: max)
            token = stream.resumeToken ?? token
            return changes
        } catch {
            stream = nil
            if error.isHistoryLost { token = nil }
            throw error
        }
    }

    private func open() throws(MongoError) -> MongoChangeStream {
        if let stream { return stream }
        let borrowed: BorrowedClient
        if let client { borrowed = client } else { borrowed = try BorrowedClient(pool) }
        client = borrowed
        let opened = try MongoChangeStream(borrowed, options, watch, after: token)
        stream = opened
        return opened
    }

    /// Gives the connection back; the next call opens another.
    package func close() {
        stream = nil
        client = nil
    }
}

/// The owner of a client for as long as it is out of its pool.
final class BorrowedClient {
    let handle: OpaquePointer
    private let pool: PoolHandle

    init(_ pool: PoolHandle) throws(MongoError) {
        guard let handle = mongoc_client_pool_pop(pool.handle) else {
            throw MongoError(.poolExhausted, operation: "take a connection", detail: "libmongoc gives none")
        }
        self.handle = handle
        self.pool = pool
    }

    deinit { mongoc_client_pool_push(pool.handle, handle) }
}
