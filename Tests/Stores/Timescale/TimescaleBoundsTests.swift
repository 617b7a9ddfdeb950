import CollectorFixtures
import Foundation
import PostgresDriver
import PostgresFixtures
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// Batches that are legal and odd: of few bytes, and much work for a server. They are written in slices or refused by name, and stop nobody.
@Suite(.serialized) struct TimescaleBoundsTests {
    private let scratch = ScratchDirectory()
    private static let day: Int64 = 86_400_000
    /// 2020-02-01T00:00:00Z.
    private static let early: Int64 = 1_580_515_200_000
    /// `full` for the largest block that there may be.
    private static let isFull = ProcessInfo.processInfo.environment["FARWATCH_TEST_BLOCK"] == "full"

    private func incoming(_ sequence: Sequence64, _ ticks: [Tick], device: String = "edge-1") throws -> IncomingBatch {
        let batch = SampleBatches.samples(sequence, device: device, ticks: ticks)
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    private func daily(_ days: Int, from start: Int64 = early) -> [Tick] {
        (0..<days).map { Tick(at: start + Int64($0) * Self.day, readings: [Reading(Series("cpu_usage"), 1), Reading(Series("x"), 1)]) }
    }

    private func expectTooMuch(_ group: [IncomingBatch], _ store: TimescaleStore) async {
        await #expect { try await store.commit(group) } throws: { ($0 as? StoreError)?.reason == .tooMuch }
    }

    @Test(arguments: PostgresTier.available)
    func `a batch on more days than a transaction can hold is refused by name, and those beside it are written`(tier: PostgresTier) async throws {
        let store = try await RunningStore.start(tier, at: scratch)
        let poison = try incoming(1, daily(2_100))
        #expect(poison.batch.encoded().count < 200)
        let good = try incoming(2, SampleBatches.ticks(4))
        await expectTooMuch([poison, good], store.store)
        await #expect { try await store.store.commit([poison]) } throws: { error in
            let error = error as? StoreError
            return error?.reason == .tooMuch && error?.detail.contains("2100 days") == true
        }
        #expect(try await store.store.commit([good]) == [.committed])
        #expect(store.store.unavailableReason == nil)
    }

    /// As the pipeline does it: on a busy machine the days of one may be waited for longer than a lock is.
    private static func commit(_ batch: IncomingBatch, to store: TimescaleStore) async throws -> [CommitOutcome] {
        while true {
            do { return try await store.commit([batch]) } catch let error as StoreError where error.reason == .unavailable {}
        }
    }

    @Test(arguments: PostgresTier.available)
    func `batches on as many days as they may be on are written, several at a time`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let layout = try #require(running.store.plan).layout
        let batches = try (0..<TimescaleStore.groupsInFlight).map { number in
            let start = Self.early + Int64(number * layout.daysMax) * Self.day
            return try incoming(1, daily(layout.daysMax, from: start), device: "edge-\(number)")
        }
        let outcomes = try await withThrowingTaskGroup(of: [CommitOutcome].self) { group in
            for batch in batches { group.addTask { try await Self.commit(batch, to: running.store) } }
            return try await group.reduce([], +)
        }
        #expect(outcomes == .init(repeating: .committed, count: batches.count))
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        #expect(try connection.query("SELECT count(*) FROM metric_samples").value(Int.self) == batches.count * layout.daysMax)
        // Together they are too many days, each by itself is not.
        let again = try batches.map { try incoming(2, $0.block?.ticks() ?? [], device: $0.batch.device.text) }
        await expectTooMuch(again, running.store)
        #expect(try await running.store.commit([again[0]]) == [.committed])
    }

    @Test(arguments: PostgresTier.available)
    func `a row that breaks a rule of the database's is refused, and what is beside it is written`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        try connection.execute("ALTER TABLE metric_samples ADD CONSTRAINT below_100 CHECK (value < 100)")
        func batch(_ sequence: UInt64, _ value: Double) throws -> IncomingBatch {
            try incoming(sequence, [Tick(at: SampleBatches.start, readings: [Reading(Series("x"), value)])])
        }
        // Also a trigger that raises.
        try connection.execute(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.value = 13 THEN RAISE 'not 13'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON metric_samples FOR EACH ROW EXECUTE FUNCTION refuse()
            """)
        await #expect { try await running.store.commit([try batch(2, 13)]) } throws: { ($0 as? StoreError)?.reason == .refused }
        await #expect { try await running.store.commit([try batch(1, 1), try batch(2, 1_000)]) } throws: { error in
            (error as? StoreError)?.reason == .refused
        }
        #expect(try await running.store.commit([try batch(1, 1)]) == [.committed])
    }

    @Test(arguments: PostgresTier.available)
    func `a batch of few bytes and very many samples and roll-ups is written whole, by itself`(tier: PostgresTier) async throws {
        let (columns, count) = Self.isFull ? (4_096, 256) : (64, 1_024)
        let series = (0..<columns).map { Series("m\($0)") }
        let ticks = (0..<count).map { index in
            Tick(at: SampleBatches.start + Int64(index) * 60_000, readings: series.enumerated().map { Reading($1, Double($0 + index)) })
        }
        let large = try incoming(1, ticks)
        let running = try await RunningStore.start(tier, at: scratch)
        await expectTooMuch([large, try incoming(2, SampleBatches.ticks(2))], running.store)
        let began = ContinuousClock.now
        #expect(try await running.store.commit([large]) == [.committed])
        if Self.isFull { print("\(tier): \(columns * count) samples written in \(ContinuousClock.now - began)") }
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        #expect(try connection.query("SELECT count(*) FROM metric_samples").value(Int.self) == columns * count)
        for level in RollupLevel.allCases {
            let sums = try connection.query(
                "SELECT sum(count)::int8, min(mean), max(max), sum(mean * count) / sum(count)::float8 FROM \(level.table.name)")[0]
            #expect(try sums.decode(Int.self, at: 0) == columns * count && sums.decode(Double.self, at: 2) == Double(columns + count - 2))
            #expect(try abs(sums.decode(Double.self, at: 3) - Double(columns + count - 2) / 2) < 1e-6)
        }
        #expect(try await running.store.commit([large]) == [.duplicate])
    }

    /// A batch of samples a step apart; nothing looks at its bytes.
    private func sized(columns: Int, ticks: Int, step: Int64) -> IncomingBatch {
        let series = (0..<columns).map { Series("m\($0)") }
        let ticks = (0..<ticks).map { index in Tick(at: Self.early + Int64(index) * step, readings: series.map { Reading($0, 1) }) }
        return IncomingBatch(batch: SampleBatches.samples(1, ticks: SampleBatches.ticks(1)), block: Block(ticks))
    }

    @Test func `what a transaction is asked for is known before it begins`() {
        let small = sized(columns: 10, ticks: 120, step: 1_000)
        let size = CommitSize([small])
        #expect(size.rows == 1_200 && size.buckets == 10 * (2 + 1 + 1 + 1) && size.days.count == 1 && size.batches == 1)
        #expect(CommitSize([small, small]).refusal(.partitions) == nil)
        let hourly = sized(columns: 20, ticks: 2_400, step: 3_600_000)
        #expect(CommitSize([hourly]).days.count == 100 && CommitSize([hourly]).refusal(.hypertables) == nil)
        #expect(CommitSize([hourly, small]).refusal(.partitions) == nil)
        let dense = sized(columns: 50, ticks: 1_000, step: 1_000)
        #expect(CommitSize([dense]).refusal(.partitions) == nil && CommitSize([dense, small]).refusal(.partitions)?.contains("samples") == true)
        #expect(CommitSize([hourly, hourly]).refusal(.partitions)?.contains("roll-ups") == true)
        let daily = sized(columns: 1, ticks: 401, step: Self.day)
        #expect(CommitSize([daily]).refusal(.partitions)?.contains("401 days") == true)
        // Each sample a minute, five minutes and an hour of its own.
        let most = sized(columns: 4_096, ticks: 200, step: 3_600_000)
        #expect(CommitSize([most]).refusal(.partitions)?.contains("roll-ups") == true)
        #expect(CommitSize([IncomingBatch(batch: SampleBatches.document("{}", 1))]).refusal(.hypertables) == nil)
    }

    @Test(arguments: PostgresTier.available)
    func `a device with as many series as it may have is refused further ones, and goes on with those it has`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let first = [Tick(at: SampleBatches.start, readings: [Reading(Series("a"), 1), Reading(Series("b"), 1)])]
        #expect(try await running.store.commit([try incoming(1, first)]) == [.committed])
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        try connection.execute(
            """
            INSERT INTO metric_series (device, key, metric, labels)
            SELECT device, int4send(number), 'm', '{}' FROM metric_series, generate_series(1, \(TimeSeriesLimits.seriesNumberedPerDeviceMax - 3)) AS number
            WHERE metric = 'a'
            """)
        func ticks(_ names: String...) -> [Tick] {
            [Tick(at: SampleBatches.start + 1_000, readings: names.map { Reading(Series($0), 1) })]
        }
        let two = try incoming(2, ticks("a", "c", "d"))
        await #expect { try await running.store.commit([two]) } throws: { error in
            let error = error as? StoreError
            return error?.reason == .refused && error?.detail.contains("series") == true
        }
        // The last one that it may have, those that it has, and another device's.
        #expect(try await running.store.commit([try incoming(3, ticks("a", "c"))]) == [.committed])
        #expect(try await running.store.commit([try incoming(4, ticks("a", "b", "c"))]) == [.committed])
        #expect(try await running.store.commit([try incoming(1, ticks("a", "c", "d"), device: "edge-2")]) == [.committed])
        await #expect(throws: StoreError.self) { try await running.store.commit([two]) }
        #expect(try await running.store.series(of: SampleBatches.device()).count <= TimeSeriesLimits.seriesPerDeviceMax)
    }
}
