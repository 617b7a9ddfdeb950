import PostgresDriver
import ServiceSupport

/// The store's metrics.
struct StoreMetrics: Sendable {
    private let info, parts, bytes: Gauge

    init(_ store: TimescaleStore, in registry: MetricsRegistry) {
        registry.gauge("farwatch_postgres_connections_active", "Connections in use.") { Double(store.counts.active) }
        registry.gauge("farwatch_postgres_connections_idle", "Connections that wait for work.") { Double(store.counts.idle) }
        registry.gauge("farwatch_postgres_waiting", "Callers that wait for a connection.") { Double(store.counts.waiting) }
        registry.counter("farwatch_postgres_connections_opened_total", "Connections made.") { Double(store.counts.opened) }
        registry.counter("farwatch_postgres_connections_failed_total", "Connections that could not be made.") { Double(store.counts.failed) }
        registry.gauge("farwatch_postgres_available", "1 while the database can be written.") { store.unavailableReason == nil ? 1 : 0 }
        registry.gauge("farwatch_postgres_replication_lag_seconds", "How far the slowest standby is behind.") { store.health.replicationLag }
        info = registry.gauge("farwatch_postgres_info", "What the server is; always 1.", labels: ["tier", "timescaledb"])
        parts = registry.gauge("farwatch_postgres_table_parts", "Chunks or partitions of a table.", labels: ["table"])
        bytes = registry.gauge("farwatch_postgres_table_bytes", "Bytes of a table with its indexes.", labels: ["table"])
    }

    func set(_ plan: Migrator.Plan) { info.set(1, plan.tier.rawValue, plan.extensionVersion ?? "") }

    func set(_ health: StoreHealth) {
        for table in health.tables {
            parts.set(Double(table.parts), table.name)
            bytes.set(Double(table.bytes), table.name)
        }
    }
}
