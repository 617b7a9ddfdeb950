/// The bounds of a pool. Times are milliseconds.
package struct PoolLimits: Equatable, Sendable {
    /// Connections that are kept, even idle.
    package var connectionsMin = 5
    package var connectionsMax = 20
    package var waitersMax = 1_000
    package var acquireTimeout: Int64 = 30_000
    /// What is idle for longer goes, down to `connectionsMin`.
    package var idleTimeout: Int64 = 600_000
    /// Older connections go, so that a server's memory and a moved address are caught up with. Each goes up to a tenth earlier, not all at once.
    package var lifetimeMax: Int64 = 3_600_000
    /// What is idle for as long is asked for a sign of life.
    package var checkInterval: Int64 = 30_000
    /// Bounds of the pause after a connection that could not be made.
    package var reconnectBase: Int64 = 100
    package var reconnectCap: Int64 = 5_000

    package init() {}
}

/// What a pool holds at a moment.
package struct PoolCounts: Equatable, Sendable {
    package var active = 0
    package var idle = 0
    /// Being made, or being asked for a sign of life.
    package var busy = 0
    package var waiting = 0
    /// Since the start.
    package var opened = 0
    package var failed = 0

    package init(active: Int = 0, idle: Int = 0, busy: Int = 0, waiting: Int = 0, opened: Int = 0, failed: Int = 0) {
        self.active = active
        self.idle = idle
        self.busy = busy
        self.waiting = waiting
        self.opened = opened
        self.failed = failed
    }

    /// Of two pools.
    package static func + (one: PoolCounts, other: PoolCounts) -> PoolCounts {
        PoolCounts(
            active: one.active + other.active, idle: one.idle + other.idle, busy: one.busy + other.busy, waiting: one.waiting + other.waiting,
            opened: one.opened + other.opened, failed: one.failed + other.failed)
    }
}
