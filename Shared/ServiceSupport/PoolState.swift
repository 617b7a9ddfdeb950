import LinuxDriver

/// What a pool decides: who gets which connection, when one is made, checked or ended. A value without clock, lock or connection: time (milliseconds
/// that never step) and randomness are handed in, what is to be done is handed out.
package struct PoolState: Sendable {
    package typealias ConnectionId = Int
    package typealias WaiterId = UInt64

    package enum Action: Equatable, Sendable {
        case connect(ConnectionId)
        case check(ConnectionId)
        case close(ConnectionId)
        case grant(WaiterId, ConnectionId)
        case refuse(WaiterId, Refusal)
    }

    package enum Refusal: Equatable, Sendable {
        case timedOut
        /// Too many wait already.
        case full
        /// No connection can be made, and none is there.
        case unavailable
        case closed
    }

    private enum Phase: Sendable { case connecting, idle, checking, active }

    private struct Connection: Sendable {
        var phase: Phase
        var openedAt: Int64
        /// When it was last given back.
        var idleSince: Int64
        var checkedAt: Int64
    }

    private struct Waiter: Sendable {
        let id: WaiterId
        let until: Int64
    }

    package let limits: PoolLimits
    private var connections: [ConnectionId: Connection] = [:]
    /// Idle ones; the last is taken first, so that those at the front grow old and go.
    private var idle: [ConnectionId] = []
    private var waiters: [Waiter] = []
    private var nextId = 1
    private var backoff: Backoff
    private var reconnectAt: Int64 = .min
    private var isClosed = false
    private var opened = 0
    private var failed = 0

    package init(_ limits: PoolLimits) {
        precondition(limits.connectionsMin >= 0 && limits.connectionsMax >= max(1, limits.connectionsMin), "the least is not more than the most")
        self.limits = limits
        backoff = Backoff(base: limits.reconnectBase, cap: limits.reconnectCap)
    }

    package var counts: PoolCounts {
        let active = connections.values.count { $0.phase == .active }
        return PoolCounts(
            active: active, idle: idle.count, busy: connections.count - active - idle.count, waiting: waiters.count, opened: opened, failed: failed)
    }

    // MARK: Callers

    package mutating func acquire(_ waiter: WaiterId, at now: Int64) -> [Action] {
        if isClosed { return [.refuse(waiter, .closed)] }
        if let id = idle.popLast() {
            connections[id]?.phase = .active
            return [.grant(waiter, id)]
        }
        if isUnavailable(at: now) { return [.refuse(waiter, .unavailable)] }
        if waiters.count >= limits.waitersMax { return [.refuse(waiter, .full)] }
        waiters.append(Waiter(id: waiter, until: now + limits.acquireTimeout))
        return connectWhereNeeded(at: now)
    }

    /// The caller does not wait any more.
    package mutating func abandon(_ waiter: WaiterId) { waiters.removeAll { $0.id == waiter } }

    /// A connection comes back.
    package mutating func release(_ id: ConnectionId, isUsable: Bool, at now: Int64) -> [Action] {
        guard connections[id]?.phase == .active else { return [] }
        connections[id]?.idleSince = now
        // That it was used is as good as a check.
        connections[id]?.checkedAt = now
        return settle(id, isUsable: isUsable, at: now)
    }

    // MARK: Connections

    package mutating func connected(_ id: ConnectionId, at now: Int64) -> [Action] {
        guard connections[id]?.phase == .connecting else { return [] }
        opened += 1
        backoff.reset()
        reconnectAt = .min
        connections[id] = Connection(phase: .connecting, openedAt: now, idleSince: now, checkedAt: now)
        return settle(id, isUsable: true, at: now) + connectWhereNeeded(at: now)
    }

    package mutating func connectFailed(_ id: ConnectionId, at now: Int64, random: UInt64) -> [Action] {
        guard connections.removeValue(forKey: id)?.phase == .connecting else { return [] }
        failed += 1
        // Those that failed together count as one failure.
        if now >= reconnectAt { reconnectAt = now + 1 + backoff.next(random: random) }
        return isUnavailable(at: now) ? refuseAll(.unavailable) : []
    }

    package mutating func checked(_ id: ConnectionId, isUsable: Bool, at now: Int64) -> [Action] {
        guard connections[id]?.phase == .checking else { return [] }
        connections[id]?.checkedAt = now
        return settle(id, isUsable: isUsable, at: now)
    }

    // MARK: Time

    /// To be called often, e.g. every 250 ms: lateness here is lateness of time-outs.
    package mutating func tick(at now: Int64) -> [Action] {
        var actions = refuseLate(at: now)
        if isClosed { return actions }
        actions += endOld(at: now)
        actions += checkIdle(at: now)
        return actions + connectWhereNeeded(at: now)
    }

    /// Nobody gets a connection any more; those that are out are ended when they come back.
    package mutating func close() -> [Action] {
        isClosed = true
        let ended = idle.map(Action.close)
        for id in idle { connections[id] = nil }
        idle = []
        return ended + refuseAll(.closed)
    }

    package var isEmpty: Bool { connections.isEmpty }

    // MARK: Deciding

    /// Where a connection goes that is in nobody's hands: to who waits longest, to the idle ones, or away.
    private mutating func settle(_ id: ConnectionId, isUsable: Bool, at now: Int64) -> [Action] {
        guard isUsable, !isClosed, let connection = connections[id], !isOld(id, connection, at: now) else {
            connections[id] = nil
            return [.close(id)] + (isClosed ? [] : connectWhereNeeded(at: now))
        }
        if !waiters.isEmpty {
            connections[id]?.phase = .active
            return [.grant(waiters.removeFirst().id, id)]
        }
        connections[id]?.phase = .idle
        idle.append(id)
        return []
    }

    private mutating func connectWhereNeeded(at now: Int64) -> [Action] {
        guard !isClosed, now >= reconnectAt else { return [] }
        let coming = connections.values.count { $0.phase == .connecting || $0.phase == .checking }
        let wanted = max(waiters.count - coming, limits.connectionsMin - connections.count)
        // After a failure one alone tries the way.
        let allowed = backoff.failures > 0 ? min(1, 1 - coming) : limits.connectionsMax - connections.count
        return (0..<max(0, min(wanted, allowed, limits.connectionsMax - connections.count))).map { _ in
            let id = nextId
            nextId += 1
            connections[id] = Connection(phase: .connecting, openedAt: now, idleSince: now, checkedAt: now)
            return .connect(id)
        }
    }

    /// The last try failed, and there is no connection to wait for.
    private func isUnavailable(at now: Int64) -> Bool {
        backoff.failures > 0 && now < reconnectAt && !connections.values.contains { $0.phase != .connecting }
    }

    private mutating func refuseAll(_ refusal: Refusal) -> [Action] {
        defer { waiters = [] }
        return waiters.map { .refuse($0.id, refusal) }
    }

    private mutating func refuseLate(at now: Int64) -> [Action] {
        let late = waiters.filter { $0.until <= now }
        waiters.removeAll { $0.until <= now }
        return late.map { .refuse($0.id, .timedOut) }
    }

    private mutating func endOld(at now: Int64) -> [Action] {
        let ended = idle.filter { id in
            guard let connection = connections[id] else { return true }
            return isOld(id, connection, at: now)
        }
        remove(ended)
        // The longest idle ones are in front.
        let spare = max(0, connections.count - limits.connectionsMin)
        let unused = idle.filter { now - (connections[$0]?.idleSince ?? now) >= limits.idleTimeout }.prefix(spare)
        remove(Array(unused))
        return (ended + unused).map(Action.close)
    }

    private mutating func remove(_ ids: [ConnectionId]) {
        for id in ids { connections[id] = nil }
        idle.removeAll { ids.contains($0) }
    }

    private mutating func checkIdle(at now: Int64) -> [Action] {
        let due = idle.filter { now - (connections[$0]?.checkedAt ?? now) >= limits.checkInterval }
        for id in due { connections[id]?.phase = .checking }
        idle.removeAll { due.contains($0) }
        return due.map(Action.check)
    }

    /// Spread by the id over the last tenth of the lifetime.
    private func isOld(_ id: ConnectionId, _ connection: Connection, at now: Int64) -> Bool {
        now - connection.openedAt >= limits.lifetimeMax - limits.lifetimeMax / 10 * Int64(id % 10) / 10
    }
}
