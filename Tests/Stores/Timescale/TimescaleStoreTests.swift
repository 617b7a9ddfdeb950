import CollectorFixtures
import LinuxDriver
import PostgresDriver
import PostgresFixtures
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// What the PostgreSQL make does beyond the role, on every kind of server.
@Suite(.serialized) struct TimescaleStoreTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private static let day: Int64 = 86_400_000

    private func incoming(_ sequence: Sequence64, _ ticks: [Tick], device: String = "edge-1") throws -> IncomingBatch {
        let batch = SampleBatches.samples(sequence, device: device, ticks: ticks)
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    /// Ticks of several series over some days, with gaps, out of order, some values no numbers.
    private func randomBatches(_ random: inout SplitMix) throws -> [IncomingBatch] {
        let series = [
            Series("cpu_usage"), Series("memory_usage"), Series("network_latency", [Label("target", "a\"b\\")]), Series("network_latency"),
            Series("disk_usage", [Label("mount", "/")]),
        ]
        return try (1...40 as ClosedRange<UInt64>).map { sequence in
            let start = SampleBatches.start + Int64.random(in: 0...4 * Self.day, using: &random)
            let interval = Int64([1_000, 10_000, 61_003].randomElement(using: &random) ?? 1_000)
            let ticks = (0..<Int64.random(in: 1...120, using: &random)).map { index in
                var readings = series.filter { _ in Bool.random(using: &random) }.map { one in
                    Reading(one, Int.random(in: 0..<30, using: &random) == 0 ? .nan : Double.random(in: -1...1, using: &random))
                }
                if readings.isEmpty { readings = [Reading(series[0], .infinity)] }
                return Tick(at: start + index * interval, readings: readings)
            }
            return try incoming(sequence, ticks)
        }
    }

    @Test(arguments: PostgresTier.available, 0..<3)
    func `every question is answered as the embedded store answers it, from roll-ups or from samples`(tier: PostgresTier, seed: UInt64) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let embedded = try EmbeddedTimeSeriesStore(directory: scratch.path)
        var random = SplitMix(state: seed)
        let batches = try randomBatches(&random)
        for start in stride(from: 0, to: batches.count, by: 6) {
            let group = Array(batches[start..<min(start + 6, batches.count)])
            _ = try await running.store.commit(group)
            _ = try await embedded.commit(group)
        }
        for step in [1_000, 60_000, 60_000, 90_000, 300_000, 300_000, 3_600_000, 3_600_000, Self.day, 7 * Self.day, 7 * Self.day] as [Int64] {
            let from = SampleBatches.start - Self.day + Int64.random(in: 0...3 * Self.day, using: &random)
            let to = from + Int64.random(in: 0...3 * Self.day, using: &random)
            let weightings: [RangeQuery.Weighting] = [.samples, .time(holdMax: 60_000), .time(holdMax: 5_000_000)]
            let query = RangeQuery(
                device: device, from: from, to: to, step: step, weighting: weightings.randomElement(using: &random) ?? .samples)
            let (found, expected) = (try await running.store.range(query), try await embedded.range(query))
            #expect(found.map { $0.series } == expected.map { $0.series })
            for (one, other) in zip(found, expected) {
                #expect(one.points.map { $0.at } == other.points.map { $0.at })
                #expect(one.points.map { $0.count } == other.points.map { $0.count })
                #expect(one.points.map { $0.minimum } == other.points.map { $0.minimum })
                #expect(one.points.map { $0.maximum } == other.points.map { $0.maximum })
                #expect(zip(one.points, other.points).allSatisfy { abs($0.mean - $1.mean) < 1e-9 })
            }
        }
        #expect(try await running.store.series(of: device) == (try await embedded.series(of: device)))
        let whole = try await running.store.coverage(of: device, from: 0, to: .max)
        let known = try await embedded.coverage(of: device, from: 0, to: .max)
        #expect(Set(whole.records.map { $0.sequences }) == Set(known.records.map { $0.sequences }) && whole.accounts == known.accounts)
    }

    @Test(arguments: PostgresTier.available)
    func `the largest values have a mean as others do`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let embedded = try EmbeddedTimeSeriesStore(directory: scratch.path)
        let values = [1e200, -1e200, 4, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1e155]
        let ticks = values.enumerated().map { Tick(at: SampleBatches.start + Int64($0.offset) * 1_000, readings: [Reading(Series("a"), $0.element)]) }
        let group = [try incoming(1, ticks)]
        _ = try await running.store.commit(group)
        _ = try await embedded.commit(group)
        for step in [30_000, 60_000] as [Int64] {
            let query = RangeQuery(device: device, from: SampleBatches.start, to: SampleBatches.start + 60_000, step: step)
            let (found, expected) = (try await running.store.range(query), try await embedded.range(query))
            #expect(found.first?.points.map { $0.count } == expected.first?.points.map { $0.count })
            #expect(found.first?.points.map { $0.maximum } == expected.first?.points.map { $0.maximum })
            #expect(found.first?.points.allSatisfy { $0.mean.isFinite } == true)
        }
    }

    @Test(arguments: PostgresTier.available)
    func `the data model's table has a row a tick`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let latency = [Series("network_latency", [Label("target", "first")]), Series("network_latency", [Label("target", "second")])]
        let ticks = [
            Tick(at: SampleBatches.start, readings: [Reading(Series("cpu_usage"), 0.25), Reading(latency[0], 0.1), Reading(latency[1], 0.2)]),
            Tick(at: SampleBatches.start + 1_000, readings: [Reading(Series("memory_usage"), 0.5)]),
            Tick(at: SampleBatches.start + 2_000, readings: [Reading(Series("uptime_seconds"), 7)]),
        ]
        _ = try await running.store.commit([try incoming(1, ticks)])
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        let rows = try connection.query(
            "SELECT device_id, cpu_usage, memory_usage, network_latency, \"timestamp\" FROM device_metrics ORDER BY \"timestamp\"")
        #expect(rows.count == 2)
        #expect(try rows[0].decode(String.self, at: 0) == "edge-1" && rows[0].decode(Double.self, at: 1) == 0.25)
        #expect(try rows[0].decodeIfPresent(Double.self, at: 2) == nil && rows[0].decode(Double.self, at: 3) == 0.1)
        #expect(try rows[1].decode(Double.self, at: 2) == 0.5 && rows[1].decode(PostgresTimestamp.self, at: 4).milliseconds == ticks[1].at)
        #expect(try connection.query("SELECT count(*) FROM metric_samples").value(Int.self) == 3)
    }

    @Test(arguments: PostgresTier.available)
    func `a tick has the status of its device's certificates, a late one none`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        running.store.ask { devices in devices.contains(SampleBatches.device()) ? [SampleBatches.device(): "expiring"] : [:] }
        let now = Clock.system.wall()
        _ = try await running.store.commit([
            try incoming(1, SampleBatches.ticks(2, from: now - 10_000)), try incoming(2, SampleBatches.ticks(2)),
            try incoming(3, SampleBatches.ticks(2, from: now - 10_000), device: "edge-2"),
        ])
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        let rows = try connection.query(
            "SELECT device_id, certificate_status, \"timestamp\" > to_timestamp($1) FROM device_metrics", [.double(Double(now) / 1_000 - 60)])
        #expect(rows.count == 6)
        for row in rows {
            let isExpected = try row.decode(String.self, at: 0) == "edge-1" && row.decode(Bool.self, at: 2)
            #expect(try row.decodeIfPresent(String.self, at: 1) == (isExpected ? "expiring" : nil))
        }
    }

    @Test(arguments: PostgresTier.available)
    func `what two collectors are given at the same time is taken once`(tier: PostgresTier) async throws {
        let stores = [try await RunningStore.start(tier, at: scratch), try await RunningStore.start(tier, at: scratch)]
        let batches = try (1...120 as ClosedRange<UInt64>).map { sequence in
            try incoming(sequence, SampleBatches.ticks(5, from: SampleBatches.start + Int64(sequence) * 5_000), device: "edge-\(sequence % 7)")
        }
        let committed = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in 0..<6 {
                group.addTask {
                    var random = SplitMix(state: UInt64(worker))
                    let mine = batches.shuffled(using: &random)
                    var committed = 0
                    for start in stride(from: 0, to: mine.count, by: 9) {
                        let part = Array(mine[start..<min(start + 9, mine.count)])
                        committed += try await stores[worker % 2].store.commit(part).filter { $0 == .committed }.count
                    }
                    return committed
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(committed == batches.count)
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        #expect(try connection.query("SELECT count(*) FROM device_metrics").value(Int.self) == 5 * batches.count)
        #expect(try connection.query("SELECT sum(count)::int8 FROM rollups_1d").value(Int.self) == 8 * batches.count)
    }

    @Test(arguments: PostgresTier.available)
    func `others are told of newest values that one of two collectors wrote`(tier: PostgresTier) async throws {
        let (one, other) = (try await RunningStore.start(tier, at: scratch), try await RunningStore.start(tier, at: scratch))
        for store in [one, other] { #expect(try await store.store.devicesChangedByOthers().isEmpty) }
        _ = try await one.store.commit([try incoming(1, SampleBatches.ticks(2))])
        #expect(try await one.store.devicesChangedByOthers().isEmpty)
        #expect(try await other.store.devicesChangedByOthers() == [device])
        #expect(try await other.store.devicesChangedByOthers().isEmpty)
        // Older than what is known: nobody's newest values change.
        _ = try await one.store.commit([try incoming(2, SampleBatches.ticks(2, from: SampleBatches.start - 60_000))])
        #expect(try await other.store.devicesChangedByOthers().isEmpty)
    }

    @Test(arguments: PostgresTier.available)
    func `what the server will not take is refused, and nothing of its group is written`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        try connection.execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.value = 666 THEN RAISE EXCEPTION USING ERRCODE = '22003', MESSAGE = 'no such value'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON metric_samples FOR EACH ROW EXECUTE FUNCTION refuse()
            """)
        let good = try incoming(1, [Tick(at: SampleBatches.start, readings: [Reading(Series("x"), 1)])])
        let bad = try incoming(2, [Tick(at: SampleBatches.start, readings: [Reading(Series("x"), 666)])])
        await #expect { try await running.store.commit([good, bad]) } throws: { ($0 as? StoreError)?.reason == .refused }
        #expect(try await running.store.statistics().blocks == 0)
        #expect(try await running.store.commit([good]) == [.committed])
        try await running.store.probe()
        #expect(try await running.store.statistics().devices == 1)
    }

    /// A month of ticks a second apart would take long; a day shows what compression does.
    @Test(.enabled(if: PostgresTier.community.missing == nil, Comment(rawValue: PostgresTier.community.missing ?? "")))
    func `old chunks are compressed by a policy, and take late samples all the same`() async throws {
        let running = try await RunningStore.start(.community, at: scratch)
        let database = try RunningStore.database(.community, of: scratch)
        let connection = try PostgresConnection(database)
        try connection.stopBackgroundWorkers()
        for sequence in 1...200 as ClosedRange<UInt64> {
            let ticks = SampleBatches.ticks(200, from: SampleBatches.start + Int64(sequence) * 200_000)
            _ = try await running.store.commit([try incoming(sequence, ticks)])
        }
        let upkeep = Upkeep(plan: try #require(running.store.plan), options: TimescaleOptions(database), now: SampleBatches.start)
        for _ in 0..<2 { #expect(upkeep.run(connection).isEmpty) }
        let policies = "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'"
        #expect(try connection.query(policies).value(Int.self) == 5)
        #expect(try StoreHealth.look(.hypertables, connection).tables.allSatisfy { $0.compression == nil })
        let job = "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' AND hypertable_name = 'device_metrics'"
        let id = try #require(try connection.query(job).value(Int64.self))
        try connection.execute("CALL run_job(\(id))")
        let sizes = try connection.query(
            "SELECT before_compression_total_bytes, after_compression_total_bytes FROM hypertable_compression_stats('device_metrics')")[0]
        let (before, after) = (try sizes.decode(Int64.self, at: 0), try sizes.decode(Int64.self, at: 1))
        #expect(after * 4 < before, "\(before) bytes became \(after)")
        let health = try StoreHealth.look(.hypertables, connection)
        let compression = try #require(health.tables.first { $0.name == "device_metrics" }?.compression)
        #expect(compression.parts > 0 && compression.bytesBefore == before && compression.bytesAfter == after && compression.saved > 0.75)
        _ = try await running.store.commit([try incoming(300, SampleBatches.ticks(5, from: SampleBatches.start + 300_500))])
        let query = RangeQuery(device: device, from: SampleBatches.start, to: SampleBatches.start + Self.day, step: 1_000, metrics: ["cpu_usage"])
        #expect(try await running.store.range(query).first?.points.reduce(0) { $0 + $1.count } == 200 * 200 + 5)
        // Compressed again they are in their places: a chunk that is not in the order that it says it is in splits groups.
        try connection.compressChunks(of: "device_metrics")
        try connection.execute("SET enable_hashagg = off; SET timescaledb.enable_chunkwise_aggregation = off")
        let groups = try connection.query(
            """
            SELECT count(*), count(DISTINCT (device_id, bucket)) FROM (
                SELECT device_id, time_bucket(interval '1 minute', "timestamp") AS bucket, count(cpu_usage) FROM device_metrics
                GROUP BY device_id, time_bucket(interval '1 minute', "timestamp")) AS grouped
            """)[0]
        #expect(try groups.decode(Int64.self, at: 0) == groups.decode(Int64.self, at: 1))
    }

    @Test(arguments: PostgresTier.available)
    func `a plan changes nothing, and a newer schema is left alone`(tier: PostgresTier) async throws {
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        let plan = try Migrator(connection).plan()
        #expect(plan.missing.count == Migration.all.count && plan.tier == (tier == .plain ? .plain : nil))
        #expect(try connection.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").value(Int.self) == 0)
        let done = try Migrator(connection).migrate()
        #expect(done.missing.count == Migration.all.count && done.tier?.rawValue == tier.rawValue)
        #expect(try Migrator(connection).migrate().missing.isEmpty)
        try connection.run("INSERT INTO farwatch_migrations (version, name) VALUES (1000, 'from the future')")
        #expect(try Migrator(connection).migrate().unknown == 1_000)
        let store = TimescaleStore(TimescaleOptions(try RunningStore.database(tier, of: scratch)))
        let task = Task { await store.run() }
        defer { task.cancel() }
        for _ in 0..<600 where store.unavailableReason?.contains("newer Farwatch") != true { try await Task.sleep(for: .milliseconds(50)) }
        #expect(store.unavailableReason?.contains("newer Farwatch") == true)
        await #expect(throws: StoreError.self) { try await store.commit([try self.incoming(1, SampleBatches.ticks(1))]) }
    }
}
