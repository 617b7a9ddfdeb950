import LinuxDriver
import ServiceSupport
import Synchronization

/// Connections that are shared: a thin shell around `PoolState`. `run` makes and ends them; nothing works before it runs.
package actor RedisPool {
    /// How often time-outs and idle connections are looked at.
    package static let tick: Duration = .milliseconds(100)
    /// Connections given up that are remembered; beyond it the oldest are forgotten.
    private static let abandonedMax = 256

    private let options: RedisOptions
    private var state: PoolState
    private var sessions: [PoolState.ConnectionId: RedisSession] = [:]
    private var waiters: [PoolState.WaiterId: CheckedContinuation<Result<Lease, RedisError>, Never>] = [:]
    private var nextWaiter: PoolState.WaiterId = 1
    private var lastFailure: RedisError?
    private var abandoned: [AbandonedConnection] = []
    private let work: AsyncStream<Work>
    private nonisolated let workSource: AsyncStream<Work>.Continuation
    private nonisolated let snapshot: Mutex<PoolCounts>

    /// What `run` does beside. Bounded by the connections, and for `abandon` by the waiters.
    private enum Work: Sendable {
        case connect(PoolState.ConnectionId)
        case check(PoolState.ConnectionId, RedisSession)
        case close(RedisSession)
        case abandon(PoolState.WaiterId)
    }

    private struct Lease: Sendable {
        let id: PoolState.ConnectionId
        let session: RedisSession
    }

    package init(_ options: RedisOptions, limits: PoolLimits = PoolLimits()) {
        self.options = options
        state = PoolState(limits)
        (work, workSource) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        snapshot = Mutex(PoolCounts())
    }

    /// For metrics, at any time from anywhere.
    package nonisolated var counts: PoolCounts { snapshot.withLock { $0 } }

    /// Why the last connection could not be made; nil when it could.
    package var failure: RedisError? { lastFailure }

    /// The connections that were given up while answers were owed: what was sent on them may still be done. Told once.
    package func takeAbandoned() -> [AbandonedConnection] {
        defer { abandoned = [] }
        return abandoned
    }

    // MARK: Using

    /// Runs `body` on a connection's thread. A connection that died idle is replaced before `body` sees it.
    package func run<Value: Sendable>(_ body: @Sendable (RedisConnection) throws(RedisError) -> Value) async throws(RedisError) -> Value {
        let lease = try await acquire()
        let result: Result<Value, RedisError>
        do throws(RedisError) { result = .success(try await lease.session.run(body)) } catch { result = .failure(error) }
        await release(lease)
        return try result.get()
    }

    /// Sends all commands and reads their answers.
    package func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [RedisValue] {
        try await run { (connection) throws(RedisError) in try connection.pipeline(commands) }
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
            try? await Task.sleep(for: Self.tick)
        }
        apply(state.close())
        for (_, session) in sessions where state.isEmpty { _ = await session.close() }
    }

    private func perform(_ work: Work) async {
        switch work {
        case .connect(let id): await open(id)
        case .check(let id, let session): await check(id, session)
        case .close(let session): if let connection = await session.close() { remember(connection) }
        case .abandon(let waiter):
            state.abandon(waiter)
            resume(waiter, .failure(RedisError(.cancelled, operation: "take a connection", detail: "nobody waits for it any more")))
            publish()
        }
    }

    private func open(_ id: PoolState.ConnectionId) async {
        do throws(RedisError) {
            sessions[id] = try await RedisSession.open(options)
            lastFailure = nil
            apply(state.connected(id, at: now))
        } catch {
            lastFailure = error
            apply(state.connectFailed(id, at: now, random: Random.uint64()))
        }
    }

    private func check(_ id: PoolState.ConnectionId, _ session: RedisSession) async {
        var isUsable = false
        do throws(RedisError) {
            _ = try await session.run { (connection) throws(RedisError) in try connection.run(RedisCommand("PING")) }
            isUsable = await session.isUsable()
        } catch {}
        apply(state.checked(id, isUsable: isUsable, at: now))
    }

    private func remember(_ connection: AbandonedConnection) {
        if abandoned.count >= Self.abandonedMax { abandoned.removeFirst() }
        abandoned.append(connection)
    }

    // MARK: Leases

    private func acquire() async throws(RedisError) -> Lease {
        while true {
            let lease = try await take()
            // The server may have gone since it was used last: as many idle ones as there are may have died with it.
            if await lease.session.isUsable() { return lease }
            apply(state.release(lease.id, isUsable: false, at: now))
        }
    }

    private func take() async throws(RedisError) -> Lease {
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

    private func release(_ lease: Lease) async {
        let isUsable = await lease.session.isUsable()
        apply(state.release(lease.id, isUsable: isUsable, at: now))
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

    private func resume(_ waiter: PoolState.WaiterId, _ result: Result<Lease, RedisError>) {
        waiters.removeValue(forKey: waiter)?.resume(returning: result)
    }

    private func publish() {
        let counts = state.counts
        snapshot.withLock { $0 = counts }
    }

    private func error(of refusal: PoolState.Refusal) -> RedisError {
        let operation = "take a connection"
        switch refusal {
        case .timedOut:
            return RedisError(
                .poolExhausted, operation: operation, detail: "none of \(state.limits.connectionsMax) came free in \(state.limits.acquireTimeout) ms")
        case .full: return RedisError(.poolExhausted, operation: operation, detail: "\(state.limits.waitersMax) wait already")
        case .closed: return RedisError(.poolClosed, operation: operation, detail: "the pool is closed")
        case .unavailable: return lastFailure ?? RedisError(.unreachable, operation: operation, detail: "no connection could be made")
        }
    }
}
