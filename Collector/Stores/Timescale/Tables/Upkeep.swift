import PostgresDriver

/// What the collector does for tables that grow with time: makes partitions ahead, drops what is older than it is kept, sets the policies of a server
/// that has them. May be repeated, and done by several collectors at once.
package struct Upkeep: Sendable {
    /// What could not be done this time.
    package struct Failure: Sendable, CustomStringConvertible {
        /// E.g. `drop what is old of device_metrics`.
        package let step: String
        package let error: PostgresError

        package var description: String { "cannot " + step + ": " + error.complaint }
    }

    /// Days for which partitions are made ahead.
    static let daysAhead: Int64 = 2
    /// Chunks are compressed later than the longest usual outage, so that a late backlog does not decompress them.
    static let compressedAfterDays = 7
    /// How far the collector's clock and the server's may be apart when something is dropped, in milliseconds.
    package static let clocksApartMax: Int64 = 3_600_000

    let plan: Migrator.Plan
    let options: TimescaleOptions
    /// The collector's clock: UTC, milliseconds since 1970.
    let now: Int64

    package init(plan: Migrator.Plan, options: TimescaleOptions, now: Int64) {
        self.plan = plan
        self.options = options
        self.now = now
    }

    /// What fails does not keep the rest from being done.
    package func run(_ connection: PostgresConnection) -> [Failure] {
        var failures: [Failure] = []
        func attempt(_ step: String, _ body: () throws(PostgresError) -> Void) {
            do throws(PostgresError) { try body() } catch { failures.append(Failure(step: step, error: error)) }
        }
        if plan.layout == .partitions { attempt("make partitions ahead") { () throws(PostgresError) in try makeAhead(connection) } }
        if plan.tier == .community {
            for table in TimeTable.all {
                attempt("have \(table.name) compressed") { () throws(PostgresError) in try setCompression(table, connection) }
            }
        }
        let aggregates = AggregateUpkeep(plan: plan, options: options)
        let aggregated = aggregates.keep(connection)
        failures += aggregated.failures
        guard kept.contains(where: { $0.1 != nil }) else { return failures }
        var time: Int64?
        attempt("drop what is old") { () throws(PostgresError) in time = try agreedTime(connection) }
        guard let time else { return failures }
        // What a refresh would find missing is not dropped before its window ends there.
        guard aggregated.mayDrop else { return failures }
        failures += aggregates.drop(time: time, connection)
        for case (let table, let kept?) in kept {
            attempt("drop what is old of \(table.name)") { () throws(PostgresError) in
                try Retention(plan: plan, table: table, limit: time - kept.inMilliseconds).run(connection)
            }
        }
        return failures
    }

    private var kept: [(TimeTable, Duration?)] {
        [TimeTable.deviceMetrics, .metricSamples, .sampleBatches].map { ($0, options.samplesKept) }
            + [(.certificateMetrics, options.certificatesKept), (.rollups1Hour, options.hoursKept)]
            + [.rollups1Minute, .rollups5Minutes].map { ($0, options.minutesKept) }
    }

    private func makeAhead(_ connection: PostgresConnection) throws(PostgresError) {
        let day: Int64 = 86_400_000
        var wanted: Set<Partitions.Partition> = []
        for table in TimeTable.all {
            for ahead in 0...Self.daysAhead { wanted.insert(.init(table: table, number: table.partition(of: now + ahead * day))) }
        }
        try Partitions().make(Array(wanted), connection)
    }

    private func setCompression(_ table: TimeTable, _ connection: PostgresConnection) throws(PostgresError) {
        guard let statement = table.compressionStatement else { return }
        let isSet = try connection.query(
            "SELECT EXISTS (SELECT FROM timescaledb_information.jobs WHERE hypertable_name = $1 AND proc_name = 'policy_compression')",
            [.text(table.name)]
        ).value(Bool.self)
        guard isSet == false else { return }
        try connection.execute(statement)
        try connection.execute("SELECT add_compression_policy('\(table.name)', interval '\(Self.compressedAfterDays) days', if_not_exists => true)")
    }

    // MARK: Time

    /// What ages are counted from. What is dropped is gone: no single clock decides it.
    private func agreedTime(_ connection: PostgresConnection) throws(PostgresError) -> Int64 {
        let server = try connection.query("SELECT clock_timestamp()").value(PostgresTimestamp.self)?.milliseconds ?? 0
        if let time = Self.agreedTime(own: now, server: server) { return time }
        throw PostgresError(
            .configuration, operation: "drop what is old",
            detail: "the collector's clock is \((now - server) / 1_000) s ahead of the server's: nothing is dropped until they agree")
    }

    /// The earlier of two clocks, in milliseconds since 1970; nil when they are too far apart.
    package static func agreedTime(own: Int64, server: Int64) -> Int64? {
        (server - clocksApartMax...server + clocksApartMax).contains(own) ? min(own, server) : nil
    }
}
