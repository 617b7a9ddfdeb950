import PostgresDriver

/// The continuous aggregates of a database of the community edition. May be used by several collectors at once.
package struct AggregateTable {
    /// What is there of one.
    package struct State: Equatable, Sendable {
        package let name: String
        /// Of its policy; nil without one.
        let job: Int64?
        /// Of its policy; nil looks for all late rows.
        let window: Duration?
    }

    /// "FARA": who makes one holds this advisory lock.
    private static let lock: Int64 = 0x4641_5241

    /// What is ours says so: somebody may have made one of the same name.
    static let mark = "Farwatch keeps it"

    private let connection: PostgresConnection

    package init(_ connection: PostgresConnection) { self.connection = connection }

    /// Whether the server's TimescaleDB is new enough (2.12): one of another can be made of an aggregate, and how far it is can be read.
    package var isSupported: Bool {
        get throws(PostgresError) {
            try connection.query("SELECT to_regprocedure('_timescaledb_functions.cagg_watermark(integer)') IS NOT NULL").value(Bool.self) == true
        }
    }

    package func states() throws(PostgresError) -> [State] {
        let rows = try connection.query(
            """
            SELECT user_view_name::text, job_id::int8, extract(epoch FROM (config ->> 'start_offset')::interval)::float8
            FROM _timescaledb_catalog.continuous_agg LEFT JOIN timescaledb_information.jobs
                ON proc_name = 'policy_refresh_continuous_aggregate' AND (config ->> 'mat_hypertable_id')::int4 = mat_hypertable_id
            WHERE user_view_schema = current_schema() AND user_view_name = ANY($1::text[])
                AND obj_description(format('%I.%I', user_view_schema, user_view_name)::regclass, 'pg_class') = $2
            """, [.texts(ContinuousAggregate.all.map { $0.name }), .text(Self.mark)])
        var states: [State] = []
        for row in rows {
            states.append(
                State(
                    name: try row.decode(at: 0), job: try row.decodeIfPresent(at: 1),
                    window: try row.decodeIfPresent(Double.self, at: 2).map { .seconds($0) }))
        }
        return states
    }

    /// Those that are not there, in the order in which they can be made.
    package func missing() throws(PostgresError) -> [ContinuousAggregate] {
        let names = try states().map { $0.name }
        return ContinuousAggregate.all.filter { !names.contains($0.name) }
    }

    // MARK: Changing

    /// Makes one, empty: its policy fills it, while questions read the samples.
    package func make(_ aggregate: ContinuousAggregate) throws(PostgresError) {
        // Another collector may make it now.
        let isForeign = try connection.query(
            "SELECT obj_description(to_regclass($1), 'pg_class') IS DISTINCT FROM $2 AND to_regclass($1) IS NOT NULL",
            [.text(aggregate.name), .text(Self.mark)]
        ).value(Bool.self)
        guard isForeign != true else {
            throw PostgresError(
                .statement, operation: "make \(aggregate.name)", detail: "something of that name is there that is not Farwatch's: rename it")
        }
        try BriefLock.execute(
            """
            SELECT pg_advisory_xact_lock(\(Self.lock));
            CREATE MATERIALIZED VIEW IF NOT EXISTS \(aggregate.name)
            WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS \(aggregate.definition) WITH NO DATA;
            COMMENT ON VIEW \(aggregate.name) IS '\(Self.mark)'
            """, connection)
    }

    /// Has the server refresh one by itself, and no further back than its source reaches. What somebody has changed otherwise stays. It begins as late as
    /// buckets are settled: with three levels filled for the first time at once, one may miss what another writes meanwhile.
    package func setPolicy(_ aggregate: ContinuousAggregate, _ policy: AggregatePolicy) throws(PostgresError) {
        guard let state = try states().first(where: { $0.name == aggregate.name }) else { return }
        if state.job != nil, !policy.mustNarrow(state.window) { return }
        // In batches (2.19 and later) 2.24 leaves out what was invalidated of the newest bucket: it is refreshed whole.
        let hasBatches = try connection.query(
            "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'add_continuous_aggregate_policy' AND 'buckets_per_batch' = ANY(proargnames))"
        ).value(Bool.self)
        try BriefLock.execute(
            """
            SELECT pg_advisory_xact_lock(\(Self.lock));
            SELECT remove_continuous_aggregate_policy('\(aggregate.name)', if_exists => true);
            SELECT add_continuous_aggregate_policy('\(aggregate.name)', start_offset => \(policy.window.map(Self.interval) ?? "NULL"),
                end_offset => \(Self.interval(policy.settled)), schedule_interval => \(Self.interval(policy.interval)),
                initial_start => now() + \(Self.interval(policy.settled))
                \(hasBatches == true ? ", buckets_per_batch => 0" : ""))
            """, connection)
    }

    /// Drops buckets by whole chunks.
    /// - Parameter limit: what ended before goes: UTC, milliseconds since 1970.
    func drop(_ name: String, before limit: Int64) throws(PostgresError) {
        _ = try connection.query("SELECT drop_chunks('\(name)', older_than => to_timestamp($1::float8))", [.double(Double(limit) / 1000)])
    }

    private static func interval(_ duration: Duration) -> String { "interval '\(duration.components.seconds) seconds'" }
}
