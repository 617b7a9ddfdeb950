import PostgresDriver
import ServiceSupport

/// How a store on PostgreSQL is set up.
package struct TimescaleOptions: Sendable {
    package var server: PostgresOptions
    /// Of all connections together.
    package var pool = PoolLimits()
    /// Samples older than this go, day by day; nil keeps them.
    package var samplesKept: Duration?
    /// The same for what was measured of certificates.
    package var certificatesKept: Duration?
    /// The same for roll-ups by the minute and by five.
    package var minutesKept: Duration?
    /// The same for roll-ups by the hour; those by the day stay.
    package var hoursKept: Duration?
    /// Whether continuous aggregates are made where the server has them. Those that are there stay.
    package var continuousAggregates = false

    package init(_ server: PostgresOptions) {
        self.server = server
        // What is acknowledged has to be on the disk, whatever the role's or the database's own setting is.
        self.server.set("options", (server.keywords["options"].map { $0 + " " } ?? "") + "-c synchronous_commit=on")
    }

    /// For what writes: connections of its own, so that no number of slow questions keeps it waiting.
    var writing: PoolLimits {
        var limits = pool
        limits.connectionsMax = max(1, min(TimescaleStore.groupsInFlight + 2, pool.connectionsMax - 1))
        limits.connectionsMin = min(pool.connectionsMin, limits.connectionsMax)
        return limits
    }

    /// For what reads: the others.
    var reading: PoolLimits {
        var limits = pool
        limits.connectionsMax = max(1, pool.connectionsMax - writing.connectionsMax)
        limits.connectionsMin = min(max(0, pool.connectionsMin - writing.connectionsMin), limits.connectionsMax)
        return limits
    }

    /// A migration may have to wait for locks.
    package var migration: PostgresOptions {
        var options = server
        options.statementTimeout = .seconds(600)
        return options
    }

    /// An index that is built concurrently, or a chunk that is compressed anew, takes as long as there are rows; what waits without harm for whoever
    /// writes may wait, and what does not has a bound of its own (`BriefLock`).
    package var partMigration: PostgresOptions {
        var options = server
        options.statementTimeout = .zero
        options.lockTimeout = .zero
        return options
    }
}
