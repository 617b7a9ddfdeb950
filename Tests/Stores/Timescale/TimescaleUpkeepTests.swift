import CollectorFixtures
import LinuxDriver
import PostgresDriver
import PostgresFixtures
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// What the collector does for tables that grow with time, while others use them.
@Suite(.serialized) struct TimescaleUpkeepTests {
    private let scratch = ScratchDirectory()
    private let now = Clock.system.wall()
    private static let day: Int64 = 86_400_000

    private func incoming(_ sequence: Sequence64, daysAgo: Int64) throws -> IncomingBatch {
        let start = now - daysAgo * Self.day
        var ticks = SampleBatches.ticks(4, from: start)
        ticks.append(Tick(at: start + 4_000, readings: [Reading(Series("uptime_seconds"), 7)]))
        let batch = SampleBatches.samples(sequence, ticks: ticks)
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    private func upkeep(_ store: TimescaleStore, _ database: PostgresOptions, now: Int64? = nil) throws -> Upkeep {
        var options = TimescaleOptions(database)
        options.samplesKept = .seconds(30 * 86_400)
        return Upkeep(plan: try #require(store.plan), options: options, now: now ?? self.now)
    }

    private func rows(_ connection: PostgresConnection, _ table: String = "device_metrics") throws -> Int? {
        try connection.query("SELECT count(*) FROM \(table)").value(Int.self)
    }

    @Test(arguments: PostgresTier.available)
    func `what is older than it is kept goes, whole days at once`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        for (sequence, age) in [(1, 39), (2, 32), (3, 1)] as [(UInt64, Int64)] {
            _ = try await running.store.commit([try incoming(sequence, daysAgo: age)])
        }
        let database = try RunningStore.database(tier, of: scratch)
        let connection = try PostgresConnection(database)
        let upkeep = try upkeep(running.store, database)
        for _ in 0..<2 { #expect(upkeep.run(connection).isEmpty) }
        #expect(try rows(connection) == 4 && rows(connection, "metric_samples") == 1)
        #expect(try connection.query("SELECT sum(count)::int8 FROM rollups_1h").value(Int.self) == 21)
        // A late batch from before is still taken, and goes the next time.
        #expect(try await running.store.commit([try incoming(4, daysAgo: 39)]) == [.committed])
        #expect(try rows(connection) == 8)
        #expect(upkeep.run(connection).isEmpty)
        #expect(try rows(connection) == 4)
    }

    @Test(arguments: PostgresTier.available)
    func `what somebody reads stays until the next time, and holds up nothing else`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        for (sequence, age) in [(1, 39), (2, 1)] as [(UInt64, Int64)] {
            _ = try await running.store.commit([try incoming(sequence, daysAgo: age)])
        }
        let database = try RunningStore.database(tier, of: scratch)
        let upkeep = try upkeep(running.store, database)
        let (reader, connection) = (try PostgresConnection(database), try PostgresConnection(database))
        // Whoever asks for the lock of a chunk that is read, as compression does, has others wait behind it.
        if tier == .community { try connection.stopBackgroundWorkers() }
        try reader.execute("BEGIN")
        #expect(try rows(reader) == 8)
        #expect(upkeep.run(connection).map { $0.error.reason } == [.locked])
        #expect(try rows(connection, "metric_samples") == 1)
        // An honest device that comes late, with rows for what is to go.
        #expect(try await running.store.commit([try incoming(3, daysAgo: 39)]) == [.committed])
        #expect(try rows(connection) == 12)
        try reader.execute("COMMIT")
        #expect(upkeep.run(connection).isEmpty)
        #expect(try rows(connection) == 4 && rows(connection, "metric_samples") == 1)
    }

    private func validation(daysAgo: Int64) -> CertificateValidation {
        CertificateValidation(
            certificate: "00", place: "/etc/a.pem", validationTime: 0.001, responseTime: 0, securityScore: 90, at: now - daysAgo * Self.day)
    }

    @Test(arguments: PostgresTier.available)
    func `each table is kept for as long as it is to be`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        for (sequence, age) in [(1, 400), (2, 1)] as [(UInt64, Int64)] {
            _ = try await running.store.commit([try incoming(sequence, daysAgo: age)])
        }
        try await running.store.keep([400, 1].map { validation(daysAgo: $0) })
        let database = try RunningStore.database(tier, of: scratch)
        let connection = try PostgresConnection(database)
        let month: Duration = .seconds(30 * 86_400)
        let kept: [(table: String, set: (inout TimescaleOptions) -> Void)] = [
            ("device_metrics", { $0.samplesKept = month }), ("certificate_metrics", { $0.certificatesKept = month }),
            ("rollups_1m", { $0.minutesKept = month }), ("rollups_1h", { $0.hoursKept = month }),
        ]
        for (index, one) in kept.enumerated() {
            var options = TimescaleOptions(database)
            one.set(&options)
            let before = try kept.map { try rows(connection, $0.table) ?? 0 }
            #expect(Upkeep(plan: try #require(running.store.plan), options: options, now: now).run(connection).isEmpty)
            let after = try kept.map { try rows(connection, $0.table) ?? 0 }
            #expect(after[index] < before[index] && after[index] > 0)
            for other in kept.indices where other != index { #expect(after[other] == before[other]) }
        }
        #expect(try connection.query("SELECT sum(count)::int8 FROM rollups_1d").value(Int.self) == 14)
    }

    @Test func `a partition that somebody detached, or began to, is theirs, and late samples get another`() async throws {
        let running = try await RunningStore.start(.plain, at: scratch)
        let database = try RunningStore.database(.plain, of: scratch)
        let connection = try PostgresConnection(database)
        for (sequence, age) in [(1, 39), (2, 38)] as [(UInt64, Int64)] {
            _ = try await running.store.commit([try incoming(sequence, daysAgo: age)])
        }
        let (detached, half) = (partition(39), partition(38))
        try connection.execute("ALTER TABLE device_metrics DETACH PARTITION \(detached)")
        let reader = try PostgresConnection(database)
        try reader.execute("BEGIN")
        #expect(try rows(reader) == 4)
        try connection.execute("SET lock_timeout = 100")
        #expect(throws: PostgresError.self) { try connection.execute("ALTER TABLE device_metrics DETACH PARTITION \(half) CONCURRENTLY") }
        try reader.execute("COMMIT")
        for (sequence, age) in [(3, 39), (4, 38)] as [(UInt64, Int64)] {
            #expect(try await running.store.commit([try incoming(sequence, daysAgo: age)]) == [.committed])
        }
        #expect(try rows(connection) == 8)
        let upkeep = try upkeep(running.store, database)
        #expect(upkeep.run(connection).isEmpty)
        #expect(try rows(connection) == 0 && rows(connection, detached) == 4 && rows(connection, half) == 4)
    }

    @Test(
        arguments: [
            (0, 0, 0), (5_000, 9_000, 5_000), (9_000, 5_000, 5_000), (Upkeep.clocksApartMax, 0, 0), (0, Upkeep.clocksApartMax, 0),
            (Upkeep.clocksApartMax + 1, 0, nil), (0, Upkeep.clocksApartMax + 1, nil),
        ] as [(Int64, Int64, Int64?)])
    func `age is counted from the earlier of two clocks, and from none when they are far apart`(own: Int64, server: Int64, expected: Int64?) {
        #expect(Upkeep.agreedTime(own: own, server: server) == expected)
    }

    private func partition(_ daysAgo: Int64) -> String { "device_metrics_p\((now - daysAgo * Self.day) / Self.day)" }

    @Test(arguments: PostgresTier.available)
    func `a collector whose clock is far from the server's drops nothing`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        _ = try await running.store.commit([try incoming(1, daysAgo: 1)])
        let database = try RunningStore.database(tier, of: scratch)
        let connection = try PostgresConnection(database)
        let failures = try upkeep(running.store, database, now: now + 60 * Self.day).run(connection)
        #expect(failures.count == 1 && failures.first?.error.detail.contains("clock") == true)
        #expect(try rows(connection) == 4)
    }
}
