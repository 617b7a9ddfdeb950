import CollectorFixtures
import PostgresDriver
import PostgresFixtures
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// What others may have done to the database.
@Suite struct TimescaleSchemaTests {
    private func migrated(_ tier: PostgresTier) throws -> PostgresOptions {
        let options = try SharedPostgres.server(tier).makeDatabase()
        _ = try Migrator(PostgresConnection(options)).migrate()
        return options
    }

    private func check(_ connection: PostgresConnection) throws -> SchemaCheck { try SchemaCheck(Migrator(connection).plan(), connection) }

    @Test(arguments: PostgresTier.available)
    func `a database as migrations leave it differs in nothing, and has no column that is not checked`(tier: PostgresTier) throws {
        let connection = try PostgresConnection(try migrated(tier))
        let check = try check(connection)
        #expect(check.refusal == nil && check.lackingRights.isEmpty && check.foreignTables.isEmpty, "\(check)")
        let rows = try connection.query(
            """
            SELECT table_name::text, count(*) FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name NOT LIKE 'farwatch%' AND table_name !~ '_p[0-9]+$|^metrics_' GROUP BY 1
            """)
        var counts: [String: Int] = [:]
        for row in rows { counts[try row.decode(at: 0)] = try row.decode(Int.self, at: 1) }
        #expect(counts == Dictionary(uniqueKeysWithValues: SchemaColumns.all.map { ($0.table, $0.columns.count) }))
    }

    @Test(arguments: [
        ("ALTER TABLE devices RENAME latest TO newest", "devices.latest is missing; there is newest"),
        ("ALTER TABLE metric_series DROP COLUMN labels CASCADE", "metric_series.labels is missing"),
        ("DROP VIEW metrics_1h; ALTER TABLE rollups_1h ALTER count TYPE integer", "rollups_1h.count is of the type int4, not int8"),
        ("DROP TABLE quarantine", "the table quarantine is missing"),
    ])
    func `a table that somebody has changed is told, and nothing is written into it`(change: String, expected: String) throws {
        let connection = try PostgresConnection(try migrated(.plain))
        try connection.execute(change)
        #expect(try check(connection).refusal?.contains(expected) == true)
        let error = #expect(throws: PostgresError.self) { try Migrator(connection).migrate() }
        #expect(error?.reason == .configuration && error?.detail.contains(expected) == true)
    }

    @Test func `another program's tables are told, and left alone`() throws {
        let connection = try PostgresConnection(try SharedPostgres.server().makeDatabase())
        try connection.execute("CREATE TABLE devices (name text); CREATE TABLE orders (name text)")
        #expect(try check(connection).foreignTables == ["devices"])
        let error = #expect(throws: PostgresError.self) { try Migrator(connection).migrate() }
        #expect(error?.reason == .configuration && error?.detail.contains("another program: devices") == true)
        #expect(try connection.query("SELECT to_regclass('farwatch_migrations') IS NULL").value(Bool.self) == true)
        // Beside them there is room.
        try connection.execute("CREATE SCHEMA farwatch; SET search_path = farwatch, public")
        #expect(try check(connection).foreignTables == ["devices"])
        try connection.execute("SET search_path = farwatch")
        #expect(try Migrator(connection).migrate().missing.count == Migration.all.count)
        #expect(try check(connection).refusal == nil)
    }

    @Test func `a role that may not make tables, or does not own them, is told`() throws {
        let options = try migrated(.plain)
        let admin = try PostgresConnection(options)
        let role = "guest_" + (options.keywords["dbname"] ?? "")
        try admin.execute("CREATE ROLE \(role) LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        try admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role)")
        var guest = options
        guest.set("user", role)
        let lacking = try check(PostgresConnection(guest)).lackingRights
        #expect(lacking.count == 2 && lacking[0].contains("may not create tables") && lacking[1].contains("does not own"))
    }

    @Test func `a series and a device may have any number of 64 bits`() async throws {
        let options = try migrated(.plain)
        try PostgresConnection(options).execute(
            "ALTER TABLE devices ALTER number RESTART WITH 5000000000; ALTER TABLE metric_series ALTER id RESTART WITH 6000000000")
        let running = try await RunningStore.start(options)
        let batch = SampleBatches.samples(1, ticks: SampleBatches.ticks(4))
        #expect(try await running.store.commit([IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))]) == [.committed])
        let found = try await running.store.range(
            RangeQuery(device: SampleBatches.device(), from: SampleBatches.start, to: SampleBatches.start + 60_000, step: 60_000))
        #expect(!found.isEmpty && found.allSatisfy { $0.points.reduce(0) { $0 + $1.count } > 0 })
    }
}
