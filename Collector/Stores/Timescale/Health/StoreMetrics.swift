import PostgresDriver
import ServiceSupport

/// The store's metrics.
struct StoreMetrics: Sendable {
    private let info, parts, bytes, newest, compressed, before, after, saved, scans, indexBytes: Gauge
    private let aggregateEnd, aggregateBytes, aggregateFailures: Gauge

    init(_ store: TimescaleStore, in registry: MetricsRegistry) {
        registry.gauge("farwatch_postgres_connections_active", "Connections in use.") { Double(store.counts.active) }
        registry.gauge("farwatch_postgres_connections_idle", "Connections that wait for work.") { Double(store.counts.idle) }
        registry.gauge("farwatch_postgres_waiting", "Callers that wait for a connection.") { Double(store.counts.waiting) }
        registry.counter("farwatch_postgres_connections_opened_total", "Connections made.") { Double(store.counts.opened) }
        registry.counter("farwatch_postgres_connections_failed_total", "Connections that could not be made.") { Double(store.counts.failed) }
        registry.gauge("farwatch_postgres_available", "1 while the database can be written.") { store.unavailableReason == nil ? 1 : 0 }
        registry.counter("farwatch_postgres_upkeep_failures_total", "What could not be made ahead, compressed or dropped, and is tried again.") {
            Double(store.upkeepFailures)
        }
        registry.gauge("farwatch_postgres_replication_lag_seconds", "How far the slowest standby is behind.") { store.health.replicationLag }
        info = registry.gauge("farwatch_postgres_info", "What the server is; always 1.", labels: ["tier", "timescaledb"])
        parts = registry.gauge("farwatch_postgres_table_parts", "Chunks or partitions of a table.", labels: ["table"])
        bytes = registry.gauge("farwatch_postgres_table_bytes", "Bytes of a table with its indexes.", labels: ["table"])
        newest = registry.gauge(
            "farwatch_postgres_table_newest_part_timestamp_seconds", "When the newest chunk or partition with rows begins.", labels: ["table"])
        compressed = registry.gauge("farwatch_postgres_table_compressed_parts", "Compressed chunks of a table.", labels: ["table"])
        before = registry.gauge("farwatch_postgres_table_uncompressed_bytes", "Bytes of compressed chunks before that.", labels: ["table"])
        after = registry.gauge("farwatch_postgres_table_compressed_bytes", "Bytes of compressed chunks.", labels: ["table"])
        saved = registry.gauge(
            "farwatch_postgres_table_compression_saved_ratio", "The share of the bytes of compressed chunks that compression has saved.",
            labels: ["table"])
        scans = registry.gauge(
            "farwatch_postgres_index_scans", "How often an index was used since the server's statistics began.", labels: ["table", "index"])
        indexBytes = registry.gauge("farwatch_postgres_index_bytes", "Bytes of an index.", labels: ["table", "index"])
        aggregateEnd = registry.gauge(
            "farwatch_postgres_aggregate_end_timestamp_seconds", "Until when a continuous aggregate is made up.", labels: ["aggregate"])
        aggregateBytes = registry.gauge("farwatch_postgres_aggregate_bytes", "Bytes of a continuous aggregate.", labels: ["aggregate"])
        aggregateFailures = registry.gauge(
            "farwatch_postgres_aggregate_failures", "Refreshes of a continuous aggregate that failed, as the server counts them.",
            labels: ["aggregate"])
        registry.gauge("farwatch_postgres_failing_aggregates", "Continuous aggregates whose last refresh failed.") {
            Double(store.health.aggregates.count { $0.hasFailed })
        }
        registry.gauge("farwatch_postgres_slow_statements", "Statements that take a second or longer, ten at most.") {
            Double(store.health.slowStatements.count)
        }
        registry.gauge("farwatch_postgres_slowest_statement_seconds", "How long the slowest of them takes.") {
            store.health.slowStatements.first?.seconds
        }
    }

    func set(_ plan: Migrator.Plan) { info.set(1, plan.tier?.rawValue ?? "", plan.extensionVersion ?? "") }

    func set(_ health: StoreHealth) {
        for table in health.tables {
            parts.set(Double(table.parts), table.name)
            bytes.set(Double(table.bytes), table.name)
            if let newestPart = table.newestPart { newest.set(Double(newestPart) / 1000, table.name) }
            guard let compression = table.compression else { continue }
            compressed.set(Double(compression.parts), table.name)
            before.set(Double(compression.bytesBefore), table.name)
            after.set(Double(compression.bytesAfter), table.name)
            saved.set(compression.saved, table.name)
        }
        for index in health.indexes {
            scans.set(Double(index.scans), index.table, index.name)
            indexBytes.set(Double(index.bytes), index.table, index.name)
        }
        for aggregate in health.aggregates {
            if let end = aggregate.end { aggregateEnd.set(Double(end) / 1000, aggregate.name) }
            aggregateBytes.set(Double(aggregate.bytes), aggregate.name)
            aggregateFailures.set(Double(aggregate.failures), aggregate.name)
        }
    }
}
