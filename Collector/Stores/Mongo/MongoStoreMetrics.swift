import MongoDriver
import ServiceSupport
import Synchronization

/// The store's metrics.
struct MongoStoreMetrics: Sendable {
    private let info: Gauge
    private let commands: Counter
    private let duration: Histogram

    init(_ store: MongoDocumentStore, in registry: MetricsRegistry) {
        registry.gauge("farwatch_mongo_connections_active", "Clients in use.") { Double(store.pool.counts.active) }
        registry.gauge("farwatch_mongo_connections_idle", "Clients that wait for work.") { Double(store.pool.counts.idle) }
        registry.gauge("farwatch_mongo_waiting", "Callers that wait for a client.") { Double(store.pool.counts.waiting) }
        registry.gauge("farwatch_mongo_available", "1 while the database can be used.") { store.unavailableReason == nil ? 1 : 0 }
        registry.gauge("farwatch_mongo_following", "1 while a change stream tells what others do to documents.") { store.isFollowing ? 1 : 0 }
        info = registry.gauge("farwatch_mongo_info", "What the server is; always 1.", labels: ["kind", "version"])
        commands = registry.counter("farwatch_mongo_commands_total", "Commands that were answered, or not.", labels: ["command", "outcome"])
        duration = registry.histogram("farwatch_mongo_command_duration_seconds", "How long a command took.", labels: ["command"])
    }

    func set(_ server: MongoServer) { info.set(1, server.kind.rawValue, server.version) }

    func told(_ event: MongoCommandEvent) {
        commands.add(1, event.name, event.isSuccess ? "ok" : "failed")
        duration.observe(event.seconds, event.name)
    }
}

/// Brings what the driver tells to the metrics, once there are any.
final class CommandRecorder: Sendable {
    private let metrics = Mutex<MongoStoreMetrics?>(nil)

    func start(_ metrics: MongoStoreMetrics) { self.metrics.withLock { $0 = metrics } }
    func told(_ event: MongoCommandEvent) { metrics.withLock { $0 }?.told(event) }
}
