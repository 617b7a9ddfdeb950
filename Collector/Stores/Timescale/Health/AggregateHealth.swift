import PostgresDriver

/// How far the continuous aggregates are, and whether the server's jobs do their work.
enum AggregateHealth {
    static func look(_ connection: PostgresConnection) throws(PostgresError) -> [StoreHealth.Aggregate] {
        guard try AggregateTable(connection).isSupported else { return [] }
        // A time before 1970 is that of one that has not been refreshed yet.
        let rows = try connection.query(
            """
            SELECT name, CASE WHEN mark > 0 THEN mark / 1000 END, size, runs, failures, has_failed, is_scheduled
            FROM (
                SELECT user_view_name::text AS name, _timescaledb_functions.cagg_watermark(mat_hypertable_id) AS mark,
                    coalesce(hypertable_size(format('%I.%I', user_view_schema, user_view_name)::regclass), 0)::int8 AS size,
                    coalesce(sum(total_runs), 0)::int8 AS runs, coalesce(sum(total_failures), 0)::int8 AS failures,
                    coalesce(bool_or(last_run_status = 'Failed'), false) AS has_failed, coalesce(bool_or(jobs.scheduled), false) AS is_scheduled
                FROM _timescaledb_catalog.continuous_agg
                    LEFT JOIN timescaledb_information.jobs
                        ON proc_name = 'policy_refresh_continuous_aggregate' AND (config ->> 'mat_hypertable_id')::int4 = mat_hypertable_id
                    LEFT JOIN timescaledb_information.job_stats ON job_stats.job_id = jobs.job_id
                WHERE user_view_schema = current_schema() AND user_view_name = ANY($1::text[])
                    AND obj_description(format('%I.%I', user_view_schema, user_view_name)::regclass, 'pg_class') = $2
                GROUP BY user_view_schema, user_view_name, mat_hypertable_id
            ) AS aggregates ORDER BY name
            """, [.texts(ContinuousAggregate.all.map { $0.name }), .text(AggregateTable.mark)])
        var aggregates: [StoreHealth.Aggregate] = []
        for row in rows {
            aggregates.append(
                .init(
                    name: try row.decode(at: 0), end: try row.decodeIfPresent(at: 1), bytes: try row.decode(at: 2), runs: try row.decode(at: 3),
                    failures: try row.decode(at: 4), hasFailed: try row.decode(at: 5),
                    isScheduled: try row.decode(at: 6)))
        }
        return aggregates
    }
}
