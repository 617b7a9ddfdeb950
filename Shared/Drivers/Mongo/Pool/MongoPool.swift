import CMongo
import ServiceSupport
import Synchronization

/// Clients that are shared, each used on a thread of its own: libmongoc blocks. Threads are made when they are needed.
package actor MongoPool {
    /// Callers that wait for a client; each waits no longer than the work before it takes, which has its time-outs.
    package static let waitersMax = 1_000

    package nonisolated let options: MongoOptions
    private let handle: PoolHandle
    private var idle: [MongoWorker] = []
    private var workers = 0
    private var waiters: [CheckedContinuation<MongoWorker?, Never>] = []
    private var isClosed = false
    private nonisolated let snapshot = Mutex(MongoPoolCounts())

    package init(_ options: MongoOptions, onCommand: @escaping @Sendable (MongoCommandEvent) -> Void = { _ in }) throws(MongoError) {
        self.options = options
        handle = try PoolHandle(options, MongoMonitor(onCommand))
    }

    /// For metrics, at any time from anywhere.
    package nonisolated var counts: MongoPoolCounts { snapshot.withLock { $0 } }

    /// Runs `body` on a client's thread. It cannot be interrupted; every call in it has its time-out.
    @discardableResult
    package func run<Value: Sendable>(
        _ body: @Sendable (MongoClient) throws(MongoError) -> Value
    ) async throws(MongoError) -> Value {
        let worker = try await take()
        let result: Result<Value, MongoError>
        do throws(MongoError) { result = .success(try await worker.run(body)) } catch { result = .failure(error) }
        give(worker)
        return try result.get()
    }

    /// Refuses what waits and what comes. What runs goes on.
    package func close() {
        isClosed = true
        for waiter in waiters { waiter.resume(returning: nil) }
        waiters = []
        idle = []
        publish()
    }

    // MARK: Workers

    private func take() async throws(MongoError) -> MongoWorker {
        guard !isClosed else { throw Self.closed }
        if let worker = idle.popLast() {
            publish()
            return worker
        }
        if workers < options.connectionsMax {
            workers += 1
            publish()
            return MongoWorker(handle, options)
        }
        guard waiters.count < Self.waitersMax else {
            throw MongoError(.poolExhausted, operation: "take a connection", detail: "\(Self.waitersMax) wait already")
        }
        let worker = await withCheckedContinuation { continuation in
            waiters.append(continuation)
            publish()
        }
        guard let worker else { throw Self.closed }
        return worker
    }

    private func give(_ worker: MongoWorker) {
        if !waiters.isEmpty {
            waiters.removeFirst().resume(returning: worker)
        } else if isClosed {
            workers -= 1
        } else {
            idle.append(worker)
        }
        publish()
    }

    private func publish() {
        let counts = MongoPoolCounts(active: workers - idle.count, idle: idle.count, waiting: waiters.count)
        snapshot.withLock { $0 = counts }
    }

    private static var closed: MongoError { MongoError(.poolClosed, operation: "take a connection", detail: "the pool is closed") }
}

/// What a pool holds at a moment.
package struct MongoPoolCounts: Equatable, Sendable {
    package var active = 0
    package var idle = 0
    package var waiting = 0

    package init(active: Int = 0, idle: Int = 0, waiting: Int = 0) {
        self.active = active
        self.idle = idle
        self.waiting = waiting
    }
}

/// The owner of a mongoc_client_pool_t. `@unchecked` because "mongoc_client_pool_t is thread-safe"; its URI and monitor live as long.
final class PoolHandle: @unchecked Sendable {
    let handle: OpaquePointer
    private let monitor: MongoMonitor

    init(_ options: MongoOptions, _ monitor: MongoMonitor) throws(MongoError) {
        _ = MongoLibrary.started
        guard !options.isPasswordMissing else {
            throw MongoError(.configuration, operation: "connect", detail: "the URI names a user without a password")
        }
        guard let uri = options.makeURI() else { throw MongoError(.configuration, operation: "connect", detail: "the URI cannot be read") }
        defer { mongoc_uri_destroy(uri) }
        var error = bson_error_t()
        guard let handle = mongoc_client_pool_new_with_error(uri, &error) else {
            throw MongoFailure(operation: "connect", options: options).error(error).as(.configuration)
        }
        // "MONGOC_ERROR_API_VERSION_2": the server's errors keep their codes, in a domain of their own.
        mongoc_client_pool_set_error_api(handle, 2)
        self.handle = handle
        self.monitor = monitor
        monitor.attach(to: handle)
    }

    deinit { mongoc_client_pool_destroy(handle) }
}

/// A thread on which clients are used.
private actor MongoWorker {
    private let executor = ThreadExecutor(name: "mongo")
    private let pool: PoolHandle
    private let options: MongoOptions

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ pool: PoolHandle, _ options: MongoOptions) {
        self.pool = pool
        self.options = options
    }

    func run<Value: Sendable>(_ body: @Sendable (MongoClient) throws(MongoError) -> Value) throws(MongoError) -> Value {
        // There are as many clients as threads, so that this does not wait.
        guard let client = mongoc_client_pool_pop(pool.handle) else {
            throw MongoError(.poolExhausted, operation: "take a connection", detail: "libmongoc gives none")
        }
        defer { mongoc_client_pool_push(pool.handle, client) }
        return try body(MongoClient(borrowing: client, options: options))
    }
}

extension MongoClient {
    /// For one piece of work on the caller's own thread, which it blocks: what commands do.
    @discardableResult
    package static func withOwnPool<Value>(
        _ options: MongoOptions, _ body: (MongoClient) throws(MongoError) -> Value
    ) throws(MongoError) -> Value {
        let pool = try PoolHandle(options, MongoMonitor { _ in })
        guard let client = mongoc_client_pool_pop(pool.handle) else {
            throw MongoError(.poolExhausted, operation: "take a connection", detail: "libmongoc gives none")
        }
        defer { mongoc_client_pool_push(pool.handle, client) }
        return try body(MongoClient(borrowing: client, options: options))
    }
}
