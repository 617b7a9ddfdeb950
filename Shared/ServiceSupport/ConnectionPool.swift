import LinuxDriver
import Synchronization

/// What a `ConnectionPool` lends: a connection on a thread of its own.
package protocol PooledSession: Sendable {
    associatedtype Failure: Error

    /// Whether the connection can take more work.
    func isUsable() async -> Bool
    /// Asks the server for a sign of life.
    func check() async throws(Failure)
    /// Ends the connection.
    func close() async
    /// What who asked for a connection is told when there is none.
    static func failure(_ refusal: PoolRefusal) -> Failure
}

/// Why a pool has no connection to lend.
package enum PoolRefusal: Equatable, Sendable {
    /// The task that asked was cancelled.
    case cancelled
    /// All are lent, and too many wait or waited for too long.
    case exhausted(detail: String)
    case closed
    /// None could be made, and nothing is known of why.
    case unreachable

    package var detail: String {
        switch self {
        case .cancelled: "nobody waits for it any more"
        case .exhausted(let detail): detail
        case .closed: "the pool is closed"
        case .unreachable: "no connection could be made"
        }
    }
}

/// Connections that are shared: a thin shell around `PoolState`. `run` makes and ends them; nothing works before it runs.
package actor ConnectionPool<Session: PooledSession> {
    package typealias Failure = Session.Failure

    /// How often time-outs and idle connections are looked at.
    private let tick: Duration
    private let connect: @Sendable () async throws(Failure) -> Session
    private var state: PoolState
    private var sessions: [PoolState.ConnectionId: Session] = [:]
    private var waiters: [PoolState.WaiterId: CheckedContinuation<Result<Lease, Failure>, Never>] = [:]
    private var nextWaiter: PoolState.WaiterId = 1
    private var lastFailure: Failure?
    private let work: AsyncStream<Work>
    private nonisolated let workSource: AsyncStream<Work>.Continuation
    private nonisolated let snapshot = Mutex(PoolCounts())

    /// What `run` does beside. Bounded by the connections, and for `abandon` by the waiters.
    private enum Work: Sendable {
        case connect(PoolState.ConnectionId)
        case check(PoolState.ConnectionId, Session)
        case close(Session)
        case abandon(PoolState.WaiterId)
    }

    private struct Lease: Sendable {
        let id: PoolState.ConnectionId
        let session: Session
    }

    /// - Parameter connect: makes a connection.
    package init(_ limits: PoolLimits, tick: Duration, connect: @escaping @Sendable () async throws(Failure) -> Session) {
        self.tick = tick
        self.connect = connect
        state = PoolState(limits)
        (work, workSource) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    /// For metrics, at any time from anywhere.
    package nonisolated var counts: PoolCounts { snapshot.withLock { $0 } }

    // MARK: Using

    /// Lends a connection to `body`. One that died idle is replaced before `body` sees it.
    /// - Parameter isKept: whether the connection may be lent again after an error.
    package func use<Value: Sendable>(
        isKept: @Sendable (Failure) -> Bool = { _ in true }, _ body: @Sendable (Session) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let lease = try await acquire()
        let result: Result<Value, Failure>
        var isWanted = true
        do throws(Failure) { result = .success(try await body(lease.session)) } catch {
            isWanted = isKept(error)
            result = .failure(error)
        }
        let isUsable = await lease.session.isUsable()
        apply(state.release(lease.id, isUsable: isUsable && isWanted, at: now))
        return try result.get()
    }

    // MARK: Running

    /// Keeps the pool until the task is cancelled; then ends all connections, those that are in use when they come back.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepTime() }
            for await work in work { group.addTask { await self.perform(work) } }
        }
    }

    private func keepTime() async {
        while !Task.isCancelled {
            apply(state.tick(at: now))
            try? await Task.sleep(for: tick)
        }
        apply(state.close())
        for (_, session) in sessions where state.isEmpty { await session.close() }
    }

    private func perform(_ work: Work) async {
        switch work {
        case .connect(let id): await open(id)
        case .check(let id, let session): await check(id, session)
        case .close(let session): await session.close()
        case .abandon(let waiter):
            state.abandon(waiter)
            resume(waiter, .failure(Session.failure(.cancelled)))
            publish()
        }
    }

    private func open(_ id: PoolState.ConnectionId) async {
        do throws(Failure) {
            sessions[id] = try await connect()
            lastFailure = nil
            apply(state.connected(id, at: now))
        } catch {
            lastFailure = error
            apply(state.connectFailed(id, at: now, random: Random.uint64()))
        }
    }

    private func check(_ id: PoolState.ConnectionId, _ session: Session) async {
        var isUsable = false
        do throws(Failure) {
            try await session.check()
            isUsable = await session.isUsable()
        } catch {}
        apply(state.checked(id, isUsable: isUsable, at: now))
    }

    // MARK: Leases

    private func acquire() async throws(Failure) -> Lease {
        while true {
            let lease = try await take()
            // The server may have gone since it was used last: as many idle ones as there are may have died with it.
            if await lease.session.isUsable() { return lease }
            apply(state.release(lease.id, isUsable: false, at: now))
        }
    }

    private func take() async throws(Failure) -> Lease {
        let waiter = nextWaiter
        nextWaiter += 1
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiters[waiter] = continuation
                apply(state.acquire(waiter, at: now))
                // Cancelled before there was a continuation: the handler's word came too early.
                if Task.isCancelled { workSource.yield(.abandon(waiter)) }
            }
        } onCancel: {
            workSource.yield(.abandon(waiter))
        }
        return try result.get()
    }

    // MARK: Actions

    private var now: Int64 { Clock.system.boot() }

    private func apply(_ actions: [PoolState.Action]) {
        for action in actions {
            switch action {
            case .connect(let id): workSource.yield(.connect(id))
            case .check(let id): if let session = sessions[id] { workSource.yield(.check(id, session)) }
            case .close(let id): if let session = sessions.removeValue(forKey: id) { workSource.yield(.close(session)) }
            case .grant(let waiter, let id): grant(waiter, id)
            case .refuse(let waiter, let refusal): resume(waiter, .failure(error(of: refusal)))
            }
        }
        publish()
    }

    private func grant(_ waiter: PoolState.WaiterId, _ id: PoolState.ConnectionId) {
        guard let session = sessions[id] else { preconditionFailure("a connection that is granted is there") }
        if waiters[waiter] == nil { return apply(state.release(id, isUsable: true, at: now)) }
        resume(waiter, .success(Lease(id: id, session: session)))
    }

    private func resume(_ waiter: PoolState.WaiterId, _ result: Result<Lease, Failure>) {
        waiters.removeValue(forKey: waiter)?.resume(returning: result)
    }

    private func publish() {
        let counts = state.counts
        snapshot.withLock { $0 = counts }
    }

    private func error(of refusal: PoolState.Refusal) -> Failure {
        switch refusal {
        case .timedOut:
            Session.failure(.exhausted(detail: "none of \(state.limits.connectionsMax) came free in \(state.limits.acquireTimeout) ms"))
        case .full: Session.failure(.exhausted(detail: "\(state.limits.waitersMax) wait already"))
        case .closed: Session.failure(.closed)
        case .unavailable: lastFailure ?? Session.failure(.unreachable)
        }
    }
}
