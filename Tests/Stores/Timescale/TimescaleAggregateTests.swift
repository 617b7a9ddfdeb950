import CollectorFixtures
import LinuxDriver
import PostgresDriver
import PostgresFixtures
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// The continuous aggregates that TimescaleDB keeps beside the collector's roll-ups, on the edition that has them.
@Suite(.serialized, .enabled(if: PostgresTier.community.missing == nil, Comment(rawValue: PostgresTier.community.missing ?? "")))
struct TimescaleAggregateTests {
    private let scratch = ScratchDirectory()
    private static let day: Int64 = 86_400_000
    private static let hour: Int64 = 3_600_000
    private static let minute: Int64 = 60_000
    /// The beginning of a day that is over.
    private let today = Clock.system.wall() / day * day

    private func incoming(_ sequence: Sequence64, _ ticks: [Tick], device: String = "edge-1") throws -> IncomingBatch {
        let batch = SampleBatches.samples(sequence, device: device, ticks: ticks)
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    /// Ticks with some of five series, as far apart as they are.
    private func ticks(_ count: Int64, from start: Int64, every interval: Int64, _ random: inout SplitMix) -> [Tick] {
        let series = [
            Series("cpu_usage"), Series("memory_usage"), Series("network_latency"), Series("disk_usage", [Label("mount", "/")]),
            Series("uptime_seconds"),
        ]
        return (0..<count).map { index in
            var readings = series.filter { _ in Bool.random(using: &random) }.map { Reading($0, Double.random(in: -1...1, using: &random)) }
            if readings.isEmpty { readings = [Reading(series[0], 1)] }
            return Tick(at: start + index * interval, readings: readings)
        }
    }

    private func upkeep(
        _ store: TimescaleStore, _ connection: PostgresConnection, _ change: (inout TimescaleOptions) -> Void = { _ in }
    ) throws {
        var options = TimescaleOptions(try RunningStore.database(.community, of: scratch))
        options.continuousAggregates = true
        change(&options)
        for _ in 0..<100 {
            let failures = Upkeep(plan: try #require(store.plan), options: options, now: Clock.system.wall()).run(connection)
            if failures.isEmpty { return }
            // The server's own jobs are at the same tables.
            #expect(failures.allSatisfy { $0.error.reason == .locked || $0.error.reason == .conflict }, "\(failures)")
        }
        Issue.record("upkeep is never done")
    }

    /// Has the server do what its policies do when they are due.
    private func refresh(_ connection: PostgresConnection) throws {
        for aggregate in ContinuousAggregate.all {
            let jobs = try connection.query(
                "SELECT job_id::int8 FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' AND hypertable_name = $1",
                [.text(aggregate.name)])
            #expect(jobs.count == 1)
            for row in jobs { try connection.execute("CALL run_job(\(try row.decode(Int64.self, at: 0)))") }
        }
    }

    /// What an aggregate and the roll-ups say, in one row a series and bucket.
    private static let aggregatedSamples = """
        SELECT series, bucket, count, mean, min, max, last, last_at FROM metric_samples_
        """

    private static func aggregatedTicks(_ metric: String) -> String {
        let columns = ["count", "mean", "min", "max", "last", "last_at"].map { "\(metric)_\($0)" }.joined(separator: ", ")
        return """
            SELECT metric_series.id, bucket, \(columns) FROM devices JOIN metric_series ON metric_series.device = devices.number
                AND metric_series.metric = '\(metric)' JOIN device_metrics_ ON device_metrics_.device_id = devices.device AND \(metric)_count > 0
            """
    }

    /// Buckets in which an aggregate and the roll-ups differ, or that one of them lacks; and how many there are.
    private func compare(_ width: String, _ metrics: [String], _ aggregated: String, _ connection: PostgresConnection) throws -> [Int] {
        let row = try connection.query(
            """
            SELECT count(*) FILTER (WHERE own.series IS NULL OR other.series IS NULL OR own.count <> other.count
                OR abs(own.mean - other.mean) > 1e-9 OR own.min <> other.min OR own.max <> other.max OR own.last <> other.last
                OR own.last_at <> other.last_at), count(*)
            FROM (SELECT rollup.* FROM rollups_\(width) AS rollup JOIN metric_series ON metric_series.id = series WHERE metric = ANY($1::text[])) AS own
            FULL JOIN (\(aggregated.replacing("metrics_ ", with: "metrics_\(width) ").replacing("metrics_.", with: "metrics_\(width).")
                .replacing("samples_\n", with: "samples_\(width)\n")))
                AS other (series, bucket, count, mean, min, max, last, last_at) ON other.series = own.series AND other.bucket = own.bucket
            """, [.texts(metrics)])[0]
        return [try row.decode(at: 0), try row.decode(at: 1)]
    }

    private func expectAlike(_ connection: PostgresConnection) throws {
        for width in ["1m", "1h", "1d"] {
            let samples = try compare(width, ["network_latency", "disk_usage", "uptime_seconds"], Self.aggregatedSamples + "\n", connection)
            #expect(samples[0] == 0 && samples[1] > 0, "metric_samples_\(width): \(samples)")
            for metric in ["cpu_usage", "memory_usage", "network_latency"] {
                let ticks = try compare(width, [metric], Self.aggregatedTicks(metric), connection)
                #expect(ticks[0] == 0 && ticks[1] > 0, "device_metrics_\(width).\(metric): \(ticks)")
            }
        }
    }

    @Test(arguments: 0..<2)
    func `an aggregate says what the roll-ups say, whatever comes late, into compressed chunks too`(seed: UInt64) async throws {
        let running = try await RunningStore.start(.community, at: scratch)
        let connection = try PostgresConnection(try RunningStore.database(.community, of: scratch))
        try connection.stopBackgroundWorkers()
        var random = SplitMix(state: seed)
        // Two devices that are never away, for three weeks, a tick a quarter of an hour.
        for device in ["edge-1", "edge-2"] {
            for day in 2...21 as ClosedRange<Int64> {
                let ticks = ticks(96, from: today - day * Self.day + 1_234, every: 15 * Self.minute, &random)
                _ = try await running.store.commit([try incoming(UInt64(30 - day), ticks, device: device)])
            }
        }
        try upkeep(running.store, connection)
        try refresh(connection)
        try expectAlike(connection)
        for table in ["device_metrics", "metric_samples"] { try connection.compressChunks(of: table, olderThanDays: 7) }
        // A few late ticks of one, and a third device that was away for weeks, beside what is of these days.
        let late = [
            try incoming(100, ticks(40, from: today - 15 * Self.day + 77, every: 500, &random)),
            try incoming(101, ticks(40, from: today - 9 * Self.day + 5 * Self.hour, every: 20_000, &random)),
            try incoming(102, ticks(10, from: today - 2 * Self.day + 7, every: 3_000, &random)),
        ]
        let away = try (1...21 as ClosedRange<UInt64>).map { day in
            let start = today - 23 * Self.day + Int64(day) * Self.day
            return try incoming(day, ticks(200, from: start, every: 7 * Self.minute + 3, &random), device: "edge-3")
        }
        for group in [late] + away.map({ [$0] }) { _ = try await running.store.commit(group) }
        try refresh(connection)
        try expectAlike(connection)
        // What came late is compressed, too, and more comes into the same minutes: they are aggregated anew from what is compressed twice over.
        for table in ["device_metrics", "metric_samples"] { try connection.compressChunks(of: table, olderThanDays: 7) }
        _ = try await running.store.commit([
            try incoming(103, ticks(40, from: today - 15 * Self.day + 99, every: 500, &random)),
            try incoming(104, ticks(40, from: today - 9 * Self.day + 5 * Self.hour + 13, every: 20_000, &random)),
        ])
        try refresh(connection)
        try expectAlike(connection)
    }

    @Test func `values at the ends of what a number can be keep no refresh from being done`() async throws {
        let running = try await RunningStore.start(.community, at: scratch)
        let connection = try PostgresConnection(try RunningStore.database(.community, of: scratch))
        let values: [Double] = [.greatestFiniteMagnitude, .greatestFiniteMagnitude, 0, 0, 0]
        let tiny: [Double] = [.leastNonzeroMagnitude, 0, 0, 0, 0]
        for (sequence, values) in [(1, values), (2, values.map { -$0 }), (3, tiny)] as [(UInt64, [Double])] {
            let start = today - 5 * Self.day + Int64(sequence) * Self.hour
            let ticks = values.enumerated().map { index, value in
                Tick(at: start + Int64(index), readings: [Reading(Series("cpu_usage"), value), Reading(Series("x"), value)])
            }
            _ = try await running.store.commit([try incoming(sequence, ticks)])
        }
        try upkeep(running.store, connection)
        try refresh(connection)
        for width in ["1m", "1h", "1d"] {
            let both = "(SELECT sum(count) FROM metric_samples_\(width)) + (SELECT sum(cpu_usage_count) FROM device_metrics_\(width))"
            #expect(try connection.query("SELECT (\(both))::int8").value(Int64.self) == 30)
        }
    }

    @Test func `what samples are dropped for stays in the aggregates`() async throws {
        let running = try await RunningStore.start(.community, at: scratch)
        let connection = try PostgresConnection(try RunningStore.database(.community, of: scratch))
        var random = SplitMix(state: 1)
        for day in [40, 20, 3] as [Int64] {
            _ = try await running.store.commit([try incoming(UInt64(day), ticks(50, from: today - day * Self.day, every: Self.minute, &random))])
        }
        try upkeep(running.store, connection)
        try refresh(connection)
        try upkeep(running.store, connection) { $0.samplesKept = .seconds(30 * 86_400) }
        let ticks = "SELECT count(*) FROM device_metrics"
        let left = try connection.query(ticks).value(Int.self) ?? 0
        #expect(left > 0 && left <= 100)
        try refresh(connection)
        try expectAlike(connection)
        // Whoever keeps them for longer again gets no wider window: what is gone would go from the aggregates, too.
        try upkeep(running.store, connection)
        try refresh(connection)
        try expectAlike(connection)
        try upkeep(running.store, connection) { $0.minutesKept = .seconds(10 * 86_400) }
        try refresh(connection)
        #expect(try connection.query("SELECT min(bucket) >= now() - interval '32 days' FROM metric_samples_1m").value(Bool.self) == true)
        #expect(try connection.query("SELECT min(bucket) < now() - interval '39 days' FROM metric_samples_1h").value(Bool.self) == true)
    }

    @Test func `collectors that begin at once make each of them once, and none where none is wanted`() async throws {
        let database = try RunningStore.database(.community, of: scratch)
        let connection = try PostgresConnection(database)
        let unwanted = try await RunningStore.start(database)
        try upkeep(unwanted.store, connection) { $0.continuousAggregates = false }
        #expect(try AggregateTable(connection).missing() == ContinuousAggregate.all)
        let plan = try #require(unwanted.store.plan)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    guard let connection = try? PostgresConnection(database) else { return }
                    var options = TimescaleOptions(database)
                    options.continuousAggregates = true
                    _ = Upkeep(plan: plan, options: options, now: Clock.system.wall()).run(connection)
                }
            }
        }
        try upkeep(unwanted.store, connection)
        #expect(try AggregateTable(connection).missing().isEmpty)
        let jobs = "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'"
        #expect(try connection.query(jobs).value(Int.self) == 6)
        let health = try StoreHealth.look(.hypertables, connection)
        #expect(health.aggregates.map { $0.name } == ContinuousAggregate.all.map { $0.name }.sorted())
    }
}
