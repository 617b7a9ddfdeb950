import PostgresDriver

/// Jobs of the server for our tables, compression and refreshes of aggregates, whose last run failed: the server tries them again ever later. Run by
/// the collector they are not held up by what keeps the server's background workers from their work.
package struct FailedJobs {
    /// "FARJ": who runs them holds this advisory lock.
    private static let lock: Int64 = 0x4641_524A

    private let connection: PostgresConnection

    /// - Parameter connection: with `TimescaleOptions.partMigration`, as a refresh takes as long as it takes.
    package init(_ connection: PostgresConnection) { self.connection = connection }

    /// A job, by the server's number, and what it does.
    package struct Job: Equatable, Sendable {
        let id: Int64
        let name: String
    }

    /// In the order in which they were made: what reads others comes after them.
    package func look() throws(PostgresError) -> [Job] {
        let rows = try connection.query(
            """
            SELECT jobs.job_id::int8, application_name FROM timescaledb_information.jobs JOIN timescaledb_information.job_stats USING (job_id)
            WHERE last_run_status = 'Failed' AND job_status <> 'Running' AND scheduled
                AND (proc_name = 'policy_compression' AND (config ->> 'hypertable_id')::int4 IN (
                    SELECT id FROM _timescaledb_catalog.hypertable WHERE schema_name = current_schema() AND table_name = ANY($1::text[]))
                OR proc_name = 'policy_refresh_continuous_aggregate' AND (config ->> 'mat_hypertable_id')::int4 IN (
                    SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg
                    WHERE user_view_schema = current_schema() AND user_view_name = ANY($2::text[])
                        AND obj_description(format('%I.%I', user_view_schema, user_view_name)::regclass, 'pg_class') = $3))
            ORDER BY job_id
            """, [.texts(TimeTable.all.map { $0.name }), .texts(ContinuousAggregate.all.map { $0.name }), .text(AggregateTable.mark)])
        var jobs: [Job] = []
        for row in rows { jobs.append(Job(id: try row.decode(at: 0), name: try row.decode(at: 1))) }
        return jobs
    }

    /// Runs them, one after the other; nothing while another collector does.
    /// - Returns: what could not be done.
    package func run() throws(PostgresError) -> [Upkeep.Failure] {
        guard try connection.query("SELECT pg_try_advisory_lock($1)", [.integer(Self.lock)]).value(Bool.self) == true else { return [] }
        defer { _ = try? connection.run("SELECT pg_advisory_unlock($1)", [.integer(Self.lock)]) }
        var failures: [Upkeep.Failure] = []
        for job in try look() {
            do throws(PostgresError) { try connection.execute("CALL run_job(\(job.id))") } catch {
                failures.append(Upkeep.Failure(step: "run the server's job \(job.name)", error: error))
            }
        }
        return failures
    }
}
