import PostgresDriver

/// What the collector does for tables that grow with time: makes partitions ahead, drops what is older than it is kept, sets the policies of a server
/// that has them. May be repeated, and done by several collectors at once.
package struct Upkeep: Sendable {
    /// Days for which partitions are made ahead.
    static let daysAhead: Int64 = 2
    /// Chunks are compressed later than the longest usual outage, so that a late backlog does not decompress them.
    static let compressedAfterDays = 7

    let plan: Migrator.Plan
    let options: TimescaleOptions
    /// UTC, milliseconds since 1970.
    let now: Int64

    package init(plan: Migrator.Plan, options: TimescaleOptions, now: Int64) {
        self.plan = plan
        self.options = options
        self.now = now
    }

    package func run(_ connection: PostgresConnection) throws(PostgresError) {
        if plan.layout == .partitions { try makeAhead(connection) }
        if plan.tier == .community { try setCompression(connection) }
        for table in [TimeTable.deviceMetrics, .metricSamples, .sampleBatches] { try drop(table, options.samplesKept, connection) }
        try drop(.rollups1Minute, options.minutesKept, connection)
    }

    private func makeAhead(_ connection: PostgresConnection) throws(PostgresError) {
        let day: Int64 = 86_400_000
        var wanted: Set<Partitions.Partition> = []
        for table in TimeTable.all {
            for ahead in 0...Self.daysAhead { wanted.insert(.init(table: table, number: table.partition(of: now + ahead * day))) }
        }
        try Partitions().make(Array(wanted), connection)
    }

    private func setCompression(_ connection: PostgresConnection) throws(PostgresError) {
        for table in TimeTable.all {
            guard let compression = table.compression else { continue }
            let isSet = try connection.query(
                "SELECT EXISTS (SELECT FROM timescaledb_information.jobs WHERE hypertable_name = $1 AND proc_name = 'policy_compression')",
                [.text(table.name)]
            ).value(Bool.self)
            guard isSet == false else { continue }
            try connection.execute(
                """
                ALTER TABLE \(table.name) SET (
                    timescaledb.compress, timescaledb.compress_segmentby = '\(compression.segmentBy)',
                    timescaledb.compress_orderby = '\(compression.orderBy)'
                )
                """)
            try connection.execute(
                "SELECT add_compression_policy('\(table.name)', interval '\(Self.compressedAfterDays) days', if_not_exists => true)")
        }
    }

    // MARK: Dropping

    private func drop(_ table: TimeTable, _ kept: Duration?, _ connection: PostgresConnection) throws(PostgresError) {
        guard let kept else { return }
        let limit = now - kept.inMilliseconds
        if plan.layout == .hypertables {
            _ = try connection.query("SELECT drop_chunks('\(table.name)', older_than => to_timestamp($1::float8))", [.double(Double(limit) / 1000)])
        } else {
            for partition in try partitions(of: table, connection) where table.start(of: partition + 1) <= limit {
                let name = table.partitionName(partition)
                // "CONCURRENTLY … runs in two transactions" and holds nobody up who reads or writes the table.
                try connection.execute("ALTER TABLE \(table.name) DETACH PARTITION \(name) CONCURRENTLY")
                try connection.execute("DROP TABLE \(name)")
            }
        }
    }

    private func partitions(of table: TimeTable, _ connection: PostgresConnection) throws(PostgresError) -> [Int64] {
        let rows = try connection.query(
            "SELECT relname FROM pg_class JOIN pg_inherits ON pg_class.oid = inhrelid WHERE inhparent = $1::text::regclass", [.text(table.name)])
        var partitions: [Int64] = []
        for row in rows { if let partition = table.partition(named: try row.decode(String.self, at: 0)) { partitions.append(partition) } }
        return partitions.sorted()
    }
}
