import CollectorFixtures
import LinuxDriver
import PostgresDriver
import PostgresFixtures
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// A database whose compressed rows an earlier version had ordered by time first.
@Suite(.serialized, .enabled(if: PostgresTier.community.missing == nil, Comment(rawValue: PostgresTier.community.missing ?? "")))
struct TimescaleOrderTests {
    private static let version = 7
    private static let day: Int64 = 86_400_000
    private static let days: ClosedRange<Int64> = 10...13
    private static let order = "id DESC,\"timestamp\" DESC"
    private let today = Clock.system.wall() / day * day

    private func incoming(_ sequence: UInt64, at time: Int64) throws -> IncomingBatch {
        let ticks = (0..<40).map { Tick(at: time + $0 * 20_000, readings: [Reading(Series("cpu_usage"), Double($0))]) }
        let batch = SampleBatches.samples(sequence, ticks: ticks)
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    /// A chunk that is being compressed makes who writes into it wait, and try again.
    private func commit(_ batch: IncomingBatch, to store: TimescaleStore) async throws {
        for _ in 0..<2_000 {
            do {
                #expect(try await store.commit([batch]) == [.committed])
                return
            } catch is StoreError { try await Task.sleep(for: .milliseconds(20)) }
        }
        Issue.record("a late batch is never taken")
    }

    /// As the release before left it: two devices with a tick a quarter of an hour on four days that are compressed.
    private func database() throws -> (PostgresOptions, PostgresConnection) {
        let options = try SharedPostgres.server(.community).makeDatabase()
        let connection = try PostgresConnection(options)
        _ = try Migrator(connection).migrate()
        try connection.stopBackgroundWorkers()
        let upkeep = Upkeep(plan: try Migrator(connection).plan(), options: TimescaleOptions(options), now: Clock.system.wall())
        #expect(upkeep.run(connection).isEmpty)
        try connection.execute("ALTER TABLE device_metrics SET (timescaledb.compress_orderby = '\"timestamp\" DESC, id DESC')")
        for device in ["edge-1", "edge-2"] { try insert(96, of: device, at: 1_234, every: 900, connection) }
        try connection.compressChunks(of: "device_metrics", olderThanDays: 7)
        try connection.run("DELETE FROM farwatch_migrations WHERE version = $1", [.integer(Int64(Self.version))])
        return (options, connection)
    }

    /// - Parameters:
    ///   - offset: of the first from the beginning of each day, in milliseconds.
    ///   - interval: in seconds.
    private func insert(_ count: Int, of device: String, at offset: Int64, every interval: Int, _ connection: PostgresConnection) throws {
        for day in Self.days {
            try connection.execute(
                """
                INSERT INTO device_metrics (device_id, cpu_usage, "timestamp")
                SELECT '\(device)', number, to_timestamp(\(today - day * Self.day + offset) / 1000.0) + number * interval '\(interval) s'
                FROM generate_series(0, \(count - 1)) AS number
                """)
        }
    }

    private func isMissing(_ connection: PostgresConnection) throws -> Bool {
        try Migrator(connection).plan().missing.contains { $0.version == Self.version }
    }

    /// The orders of compressed chunks, the newest first.
    private func orders(_ connection: PostgresConnection) throws -> [String] {
        let rows = try connection.query(
            """
            SELECT orderby FROM timescaledb_information.chunk_compression_settings
                JOIN timescaledb_information.chunks ON chunk = format('%I.%I', chunk_schema, chunk_name)::regclass
            WHERE hypertable = 'device_metrics'::regclass ORDER BY range_start DESC
            """)
        return try rows.map { try $0.decode(at: 0) }
    }

    /// Groups of device and minute, and how many of them there are, by a question that relies on the order.
    private func groups(_ options: PostgresOptions) throws -> (told: Int, different: Int, rows: Int) {
        let connection = try PostgresConnection(options)
        try connection.execute("SET enable_hashagg = off; SET timescaledb.enable_chunkwise_aggregation = off")
        let row = try connection.query(
            """
            SELECT count(*), count(DISTINCT (device_id, bucket)), sum(rows)::int8 FROM (
                SELECT device_id, time_bucket(interval '1 minute', "timestamp") AS bucket, count(cpu_usage) AS rows FROM device_metrics
                GROUP BY device_id, time_bucket(interval '1 minute', "timestamp")) AS grouped
            """)[0]
        return (try row.decode(at: 0), try row.decode(at: 1), try row.decode(at: 2))
    }

    @Test func `its chunks are compressed anew while samples are taken, and what came late into them is in one group`() async throws {
        let (options, connection) = try database()
        let running = try await RunningStore.start(options)
        // By itself the store leaves alone what takes room: the table has the new order, its chunks the old one.
        let set = "SELECT orderby FROM timescaledb_information.hypertable_compression_settings WHERE hypertable = 'device_metrics'::regclass"
        for _ in 0..<6_000 where try connection.query(set).value(String.self)?.hasPrefix("id") != true {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try isMissing(connection) && orders(connection).allSatisfy { $0 != Self.order })
        let work = Task { try PartMigrator(PostgresConnection(options)).run() }
        // Late ticks among the others, before, while and after it is done.
        var sequence: UInt64 = 0
        repeat {
            for day in Self.days {
                sequence += 1
                try await commit(try incoming(sequence, at: today - day * Self.day + 18_000_077 + Int64(sequence)), to: running.store)
            }
        } while try isMissing(connection) && sequence < 10_000
        #expect(try await work.value && !isMissing(connection))
        #expect(try orders(connection) == Self.days.map { _ in Self.order })
        // As the server's policy does it.
        try connection.compressChunks(of: "device_metrics", olderThanDays: 7)
        let groups = try groups(options)
        #expect(groups.told == groups.different && groups.rows == 2 * 4 * 96 + 40 * Int(sequence))
    }

    @Test func `groups that were split already are mended, and who looks is told how far it is`() throws {
        let (options, connection) = try database()
        try insert(40, of: "edge-1", at: 18_000_077, every: 20, connection)
        try connection.compressChunks(of: "device_metrics", olderThanDays: 7)
        let migrations = Migration.all.filter { $0.version == Self.version }
        let before = try #require(try PartMigrator(connection).look(migrations).first)
        #expect(before.change == "device_metrics_order" && before.parts == 4 && before.done == 0)
        var told: [PartMigrator.Progress] = []
        #expect(try PartMigrator(connection).run { told.append($0) })
        #expect(told.map { $0.done } == [0, 1, 2, 3, 4] && told.allSatisfy { $0.parts == 4 && $0.change == before.change })
        #expect(try orders(connection) == Self.days.map { _ in Self.order })
        let groups = try groups(options)
        #expect(groups.told == groups.different && groups.rows == 2 * 4 * 96 + 4 * 40)
        #expect(try PartMigrator(connection).look(migrations).allSatisfy { $0.done == $0.parts } && !isMissing(connection))
    }

    @Test func `a chunk that somebody reads is left for the next time, and the others are done`() throws {
        let (options, connection) = try database()
        let reader = try PostgresConnection(options)
        let chunk = try #require(
            try connection.query("SELECT min(chunk::text) FROM show_chunks('device_metrics', older_than => interval '7 days') AS chunk").value(
                String.self))
        try reader.execute("SET idle_in_transaction_session_timeout = 0")
        try reader.execute("BEGIN")
        _ = try reader.query("SELECT count(*) FROM \(chunk)")
        let error = #expect(throws: PostgresError.self) { try PartMigrator(connection).run() }
        #expect(error?.reason == .locked && error?.detail.contains("1 of 4 chunks") == true, "\(String(describing: error))")
        #expect(try orders(connection).count { $0 == Self.order } == 3 && isMissing(connection))
        try reader.execute("COMMIT")
        #expect(try PartMigrator(connection).run() && !isMissing(connection))
        #expect(try orders(connection) == Self.days.map { _ in Self.order })
    }

    @Test func `an order that somebody has chosen otherwise stays`() throws {
        let (_, connection) = try database()
        let own = "cpu_usage, \"timestamp\", id"
        try connection.execute("ALTER TABLE device_metrics SET (timescaledb.compress_orderby = '\(own)')")
        let chunk = try #require(
            try connection.query("SELECT max(chunk::text) FROM show_chunks('device_metrics', older_than => interval '7 days') AS chunk").value(
                String.self))
        try connection.execute("SELECT decompress_chunk('\(chunk)'); SELECT compress_chunk('\(chunk)')")
        let settings = "SELECT orderby FROM timescaledb_information.hypertable_compression_settings WHERE hypertable = 'device_metrics'::regclass"
        let before = try connection.query(settings).value(String.self)
        _ = try PartMigrator(connection).run()
        #expect(try connection.query(settings).value(String.self) == before && before?.hasPrefix("cpu_usage") == true)
        // Those in the order of before get what the table has.
        #expect(try orders(connection).allSatisfy { $0.hasPrefix("cpu_usage") } && !isMissing(connection))
    }

    @Test func `an order of somebody's that is like that of before stays, too, and is not taken for it`() throws {
        let (_, connection) = try database()
        try connection.execute("ALTER TABLE device_metrics SET (timescaledb.compress_orderby = '\"timestamp\" DESC, cpu_usage, id DESC')")
        for chunk in try connection.query("SELECT chunk::text FROM show_chunks('device_metrics', older_than => interval '7 days') AS chunk") {
            let name: String = try chunk.decode(at: 0)
            try connection.execute("SELECT decompress_chunk('\(name)'); SELECT compress_chunk('\(name)')")
        }
        let before = try orders(connection)
        #expect(try PartMigrator(connection).run() && !isMissing(connection))
        #expect(try orders(connection) == before && before.allSatisfy { $0.contains("cpu_usage") })
    }

    @Test func `a chunk that the server does not let be changed keeps no other from it`() throws {
        let (_, connection) = try database()
        let chunk = try #require(
            try connection.query("SELECT max(chunk::text) FROM show_chunks('device_metrics', older_than => interval '7 days') AS chunk").value(
                String.self))
        try connection.execute("SELECT _timescaledb_functions.freeze_chunk('\(chunk)')")
        let error = #expect(throws: PostgresError.self) { try PartMigrator(connection).run() }
        #expect(error?.description.contains(chunk.split(separator: ".").last ?? "") == true, "\(String(describing: error))")
        #expect(try orders(connection).count { $0 == Self.order } == 3 && isMissing(connection))
    }
}
