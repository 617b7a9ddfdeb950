import CollectorFixtures
import LinuxDriver
import PostgresDriver
import PostgresFixtures
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// Indexes that a migration adds to tables with rows.
@Suite(.serialized) struct TimescaleIndexTests: DeliversToTimescale {
    private static let version = 6
    private static let tables = ["device_metrics", "metric_samples"]
    private static let day: Int64 = 86_400_000

    private func incoming(_ sequence: UInt64, daysAgo: Int64) throws -> IncomingBatch {
        let start = Clock.system.wall() - daysAgo * Self.day
        let ticks = SampleBatches.ticks(4, from: start) + [Tick(at: start + 4_000, readings: [Reading(Series("uptime_seconds"), 7)])]
        let batch = SampleBatches.samples(sequence, ticks: ticks)
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    /// As the migration before left it.
    private func forget(_ connection: PostgresConnection) throws {
        try connection.run("DELETE FROM farwatch_migrations WHERE version = $1", [.integer(Int64(Self.version))])
        for table in Self.tables { try connection.execute("DROP INDEX \(table)_time") }
    }

    private func isMissing(_ connection: PostgresConnection) throws -> Bool {
        try Migrator(connection).plan().missing.contains { $0.version == Self.version }
    }

    /// Holds a state of the database, and no lock of a table of samples, so that no concurrent build comes to its end. All is younger than what a policy
    /// compresses.
    private func hold(_ database: PostgresOptions) throws -> PostgresConnection {
        let holder = try PostgresConnection(database)
        try holder.execute("SET idle_in_transaction_session_timeout = 0")
        try holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        _ = try holder.query("SELECT count(*) FROM farwatch_migrations")
        return holder
    }

    /// Of how many parts there are, and how many have a valid index by time.
    private func parts(_ connection: PostgresConnection) throws -> (all: Int, indexed: Int) {
        let row = try connection.query(
            """
            SELECT count(*), count(*) FILTER (WHERE EXISTS (
                SELECT FROM pg_index WHERE indrelid = inhrelid AND indisvalid AND pg_get_indexdef(indexrelid) LIKE '%USING brin ("timestamp"%'))
            FROM pg_inherits WHERE inhparent = ANY($1::text[]::regclass[])
            """, [.texts(Self.tables)])[0]
        return (try row.decode(at: 0), try row.decode(at: 1))
    }

    private func invalid(_ connection: PostgresConnection) throws -> Int? {
        try connection.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid").value(Int.self)
    }

    @Test(arguments: PostgresTier.available)
    func `a collector takes samples while it builds indexes, and has them all in the end, on new parts too`(tier: PostgresTier) async throws {
        let database = try SharedPostgres.server(tier).makeDatabase()
        let connection = try PostgresConnection(database)
        do {
            let running = try await RunningStore.start(database)
            for age in 0..<3 as Range<Int64> { _ = try await running.store.commit([try incoming(UInt64(age + 1), daysAgo: age * 2)]) }
        }
        try forget(connection)
        let holder = try hold(database)
        let running = try await RunningStore.start(database)
        try await wait("a build waits for the old transaction") {
            (try? connection.query(
                """
                SELECT EXISTS (SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active' AND wait_event_type = 'Lock')
                """
            ).value(Bool.self)) == true
        }
        // Into parts that have it, that lack it, and one that is made.
        for (sequence, age) in [(4, 0), (5, 2), (6, 6)] as [(UInt64, Int64)] {
            #expect(try await running.store.commit([try incoming(sequence, daysAgo: age)]) == [.committed])
        }
        #expect(try isMissing(connection) && running.store.unavailableReason == nil)
        try holder.execute("COMMIT")
        try await wait("the indexes are there") { (try? isMissing(connection)) == false }
        let parts = try parts(connection)
        #expect(parts.all >= 8 && parts.indexed == parts.all)
        #expect(try invalid(connection) == 0)
        #expect(running.store.upkeepFailures == 0)
        #expect(try connection.query("SELECT sum(samples)::int8 FROM devices").value(Int.self) == 6 * 7)
    }

    @Test(arguments: PostgresTier.available)
    func `what a build that was broken off has left is dropped, and built again`(tier: PostgresTier) async throws {
        let database = try SharedPostgres.server(tier).makeDatabase()
        let connection = try PostgresConnection(database)
        do {
            let running = try await RunningStore.start(database)
            _ = try await running.store.commit([try incoming(1, daysAgo: 0)])
        }
        try forget(connection)
        let holder = try hold(database)
        let builder = try PostgresConnection(TimescaleOptions(database).partMigration)
        // The longer, the farther it comes; its end it does not reach.
        var milliseconds = 50
        while try invalid(connection) == 0, milliseconds < 60_000 {
            try builder.execute("SET statement_timeout = \(milliseconds)")
            #expect(throws: PostgresError.self) { try PartMigrator(builder).run() }
            milliseconds *= 2
        }
        #expect(try invalid(connection) ?? 0 > 0 && isMissing(connection))
        try holder.execute("COMMIT")
        try builder.execute("SET statement_timeout = 0")
        var told: [PartMigrator.Progress] = []
        #expect(try PartMigrator(builder).run { told.append($0) })
        #expect(told.last.map { $0.done == $0.parts } == true)
        #expect(try !isMissing(connection) && invalid(connection) == 0)
        let parts = try parts(connection)
        #expect(parts.all >= 2 && parts.indexed == parts.all)
        #expect(try PartMigrator(builder).look(Migration.all).allSatisfy { $0.done == $0.parts })
    }

    @Test func `one collector builds at a time, and nobody waits for it`() throws {
        let database = try SharedPostgres.server(.plain).makeDatabase()
        let (one, other) = (try PostgresConnection(database), try PostgresConnection(database))
        _ = try Migrator(one).migrate()
        #expect(try !isMissing(one))
        try forget(one)
        try one.execute("SELECT pg_advisory_lock(\(0x4641_5249))")
        #expect(try !PartMigrator(other).run() && isMissing(one))
        try one.execute("SELECT pg_advisory_unlock_all()")
        #expect(try PartMigrator(other).run() && !isMissing(one))
    }

    @Test func `an index that others use without end is given up for this time, and holds nobody up`() async throws {
        let database = try SharedPostgres.server(.plain).makeDatabase()
        let connection = try PostgresConnection(database)
        let running = try await RunningStore.start(database)
        _ = try await running.store.commit([try incoming(1, daysAgo: 0)])
        let writer = try PostgresConnection(database)
        try writer.execute("SET idle_in_transaction_session_timeout = 0")
        try writer.execute("BEGIN; INSERT INTO device_metrics (device_id, \"timestamp\") VALUES ('a', now())")
        try forgetVersion(connection)
        let error = #expect(throws: PostgresError.self) { try PartMigrator(connection).run() }
        #expect(error?.reason == .locked)
        #expect(try await running.store.commit([try incoming(2, daysAgo: 0)]) == [.committed])
        try writer.execute("ROLLBACK")
        #expect(try PartMigrator(connection).run() && !isMissing(connection))
    }

    /// Another index of the table, that is not there: whoever writes would hold up the removal of one that is.
    private func forgetVersion(_ connection: PostgresConnection) throws {
        try connection.execute("ALTER INDEX device_metrics_time RENAME TO device_metrics_before")
        try connection.run("DELETE FROM farwatch_migrations WHERE version = $1", [.integer(Int64(Self.version))])
    }

    @Test(arguments: PostgresTier.available)
    func `roll-ups are read in SQL by the names of device and metric`(tier: PostgresTier) async throws {
        let database = try SharedPostgres.server(tier).makeDatabase()
        let running = try await RunningStore.start(database)
        _ = try await running.store.commit([try incoming(1, daysAgo: 0)])
        let connection = try PostgresConnection(database)
        for view in ["metrics_1m", "metrics_5m", "metrics_1h", "metrics_1d"] {
            let row = try connection.query(
                """
                SELECT sum(count)::int8, min(min), max(max), min(mean), max(last) FROM \(view)
                WHERE device = $1 AND metric = 'uptime_seconds' AND labels = '{}' AND bucket > now() - interval '3 days' AND last_at < now() + interval '1 day'
                """, [.text(SampleBatches.device().text)])[0]
            #expect(try row.decode(Int.self, at: 0) == 1)
            for column in 1...4 { #expect(try row.decode(Double.self, at: column) == 7) }
        }
    }
}
