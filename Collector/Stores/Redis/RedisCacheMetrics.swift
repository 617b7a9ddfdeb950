import CacheStores
import LinuxDriver
import RedisDriver
import ServiceSupport
import Synchronization

/// What a cache on Redis has done.
struct RedisCacheCounts: Equatable, Sendable {
    var hits = 0
    var misses = 0
    /// Of the hits, those that the server answered.
    var serverHits = 0
    var lostWrites = 0
}

/// The metrics of the server, beside those that every make of the cache has.
struct RedisCacheMetrics: Sendable {
    private let errors: Counter
    private let keys: Gauge

    init(_ cache: RedisCache, in registry: MetricsRegistry) {
        registry.gauge("farwatch_redis_connections_active", "Connections in use.") { Double(cache.servers.counts.active) }
        registry.gauge("farwatch_redis_connections_idle", "Connections that wait for work.") { Double(cache.servers.counts.idle) }
        registry.gauge("farwatch_redis_waiting", "Callers that wait for a connection.") { Double(cache.servers.counts.waiting) }
        registry.counter("farwatch_redis_connections_opened_total", "Connections made.") { Double(cache.servers.counts.opened) }
        registry.counter("farwatch_redis_connections_failed_total", "Connections that could not be made.") { Double(cache.servers.counts.failed) }
        registry.gauge("farwatch_redis_available", "1 while the server is asked.") { cache.state.withLock { $0.isAdmitted } ? 1 : 0 }
        registry.gauge("farwatch_redis_breaker_state", "0 while the server is asked, 0.5 while one alone tries it, 1 while it is left alone.") {
            switch cache.state.withLock({ $0.breaker.state }) {
            case .closed: 0
            case .halfOpen: 0.5
            case .open: 1
            }
        }
        registry.counter("farwatch_redis_breaker_opened_total", "How often the server was left alone.") {
            Double(cache.state.withLock { $0.breaker.opened })
        }
        registry.counter("farwatch_redis_hits_total", "Values that the server had.") { Double(cache.state.withLock { $0.counts.serverHits }) }
        registry.counter("farwatch_redis_lost_writes_total", "Writes and removals that did not reach the server.") {
            Double(cache.state.withLock { $0.counts.lostWrites })
        }
        registry.gauge("farwatch_redis_suspect_keys", "Keys that are not read before they have been removed from the server.") {
            Double(cache.state.withLock { $0.lost.count })
        }
        registry.gauge("farwatch_redis_cluster_nodes", "Nodes of a cluster that have keys; 0 for a server that is none.") {
            Double(cache.servers.primaries?.count ?? 0)
        }
        registry.counter("farwatch_redis_redirects_total", "Commands that a cluster's node sent on to another.") { Double(cache.servers.redirects) }
        errors = registry.counter("farwatch_redis_errors_total", "What the server or the way to it refused, by reason.", labels: ["reason"])
        keys = registry.gauge(
            "farwatch_redis_keys", "Keys of each kind, counted once a minute; where they are many, from a sample.", labels: ["kind"])
    }

    func failed(_ reason: RedisErrorReason) { errors.add(1, reason.rawValue) }
    func found(_ counts: [CacheKind: Int]) { for kind in CacheKind.allCases { keys.set(Double(counts[kind] ?? 0), kind.rawValue) } }
}

extension RedisCache {
    /// Once.
    package func register(in registry: MetricsRegistry) {
        let metrics = RedisCacheMetrics(self, in: registry)
        state.withLock { $0.metrics = metrics }
    }

    /// Whether the server is asked.
    package var isAvailable: Bool { state.withLock { $0.isAdmitted } }

    private static let refusalShownMilliseconds: Int64 = 60_000

    /// What is asked, or why it is not, for people.
    package var description: String {
        let (name, failure, isAdmitted, breaker, refusal) = state.withLock {
            ($0.serverName, $0.failure, $0.isAdmitted, $0.breaker.state, $0.refusal)
        }
        let cluster = servers.primaries.map { ", a cluster of \($0.count)" } ?? ""
        if isAdmitted {
            // A server that is full answers and does not do what is asked.
            guard let refusal, Clock.system.boot() - refusal.at < Self.refusalShownMilliseconds else { return (name ?? "Redis") + cluster }
            return "\(name ?? "Redis")\(cluster), which said lately: \(refusal.error)"
        }
        let reason = failure?.description ?? (breaker == .open ? "its answers come too late" : "Redis has not been reached yet")
        return "without Redis, breaker " + breaker.rawValue + ": " + reason
    }
}
