import RedisDriver
import ServiceSupport

/// How a cache on Redis is set up.
package struct RedisCacheOptions: Sendable {
    /// How long an answer is waited for when nothing else is set.
    package static let timeoutDefault: Duration = .milliseconds(250)
    package static let connectionsMaxDefault = 4

    package var server: RedisOptions
    package var pool = PoolLimits()

    package init(_ server: RedisOptions, timeout: Duration = timeoutDefault, connectionsMax: Int = connectionsMaxDefault) {
        self.server = server
        self.server.commandTimeout = timeout
        pool.connectionsMin = 1
        pool.connectionsMax = connectionsMax
        // Whoever waits for a connection waits no longer than for an answer.
        let milliseconds = timeout.components.seconds * 1_000 + timeout.components.attoseconds / 1_000_000_000_000_000
        pool.acquireTimeout = max(1, milliseconds)
    }

    /// An answer that takes longer is of use, but counts against the server: a cache that takes its time is slower than none.
    var slowAfter: Duration { server.commandTimeout / 2 }
}
