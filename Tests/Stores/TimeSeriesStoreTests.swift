import CollectorFixtures
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores

/// What every make of the role keeps to.
@Suite(.serialized) struct TimeSeriesStoreTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()

    private func incoming(_ batch: Batch) throws -> IncomingBatch {
        IncomingBatch(batch: batch, block: batch.kind == .samples ? try Block(decoding: batch.payload) : nil)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a batch is taken once, however often it comes`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let one = try incoming(SampleBatches.samples(1))
        let two = try incoming(SampleBatches.samples(2, ticks: SampleBatches.ticks(10, from: SampleBatches.start + 10_000)))
        #expect(try await store.commit([one, one, two]) == [.committed, .duplicate, .committed])
        #expect(try await store.commit([two, one]) == [.duplicate, .duplicate])
        #expect(try await store.taken(device: device, stream: SampleBatches.stream).closed.ranges == [1...2])
        #expect(try await store.sampleCount(of: device) == 30)
        let statistics = try await store.statistics()
        #expect(statistics.blocks == 2 && statistics.samples == 30 && statistics.devices == 1)
        #expect(statistics.bytes == Int64(one.batch.payload.count + two.batch.payload.count))
    }

    @Test(arguments: TimeSeriesMake.all)
    func `streams and devices keep separate accounts`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let group = [
            try incoming(SampleBatches.samples(1)), try incoming(SampleBatches.samples(1, stream: UInt64.max)),
            try incoming(SampleBatches.samples(1, device: "edge-2")),
        ]
        #expect(try await store.commit(group) == [.committed, .committed, .committed])
        #expect(try await store.taken(device: device, stream: UInt64.max).closed.ranges == [1...1])
        #expect(try await store.taken(device: device, stream: 77).closed.ranges.isEmpty)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `devices are listed page by page, each once`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        #expect(try await store.devices(after: nil, limit: 10).isEmpty)
        let names = ["edge-1", "edge-10", "Edge-2", "edge-3", "a"]
        for name in names { _ = try await store.commit([try incoming(SampleBatches.samples(1, device: name))]) }
        var listed: [DeviceId] = []
        while listed.count < 20 {
            let page = try await store.devices(after: listed.last, limit: 2)
            if page.isEmpty { break }
            #expect(page.count <= 2)
            listed += page
        }
        #expect(listed.map { $0.text }.sorted() == names.sorted())
        #expect(try await store.coverage(of: device, from: 0, to: 1).records.first?.ticks.start == SampleBatches.start)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `documents and events are only marked taken`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let document = try incoming(SampleBatches.document("{}", 1))
        #expect(try await store.commit([document, try incoming(SampleBatches.document("{}", 2, kind: .event))]) == [.committed, .committed])
        #expect(try await store.commit([document]) == [.duplicate])
        #expect(try await store.sampleCount(of: device) == 0)
        #expect(try await store.latest(of: device) == nil)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `what was committed is there after a restart`(make: TimeSeriesMake) async throws {
        let batch = try incoming(SampleBatches.samples(7))
        var store: (any TimeSeriesStore)? = try await make.open(scratch)
        _ = try await store?.commit([batch])
        store = nil
        let again = try await make.open(scratch)
        #expect(try await again.commit([batch]) == [.duplicate])
        #expect(try await again.sampleCount(of: device) == 15)
        #expect(try await again.series(of: device) == [Series("cpu_usage"), Series("memory_usage")])
        #expect(try await again.latest(of: device)?.at == SampleBatches.start + 9_000)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `the newest tick stays the newest when a backlog fills in late`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let newest = SampleBatches.ticks(3, from: SampleBatches.start + 100_000)
        _ = try await store.commit([try incoming(SampleBatches.samples(2, ticks: newest))])
        _ = try await store.commit([try incoming(SampleBatches.samples(1))])
        #expect(try await store.latest(of: device) == newest.last)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a range is aggregated by step, within its bounds`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let start = SampleBatches.start
        for part in 0..<6 {
            let ticks = SampleBatches.ticks(10, from: start + Int64(part) * 10_000)
            _ = try await store.commit([try incoming(SampleBatches.samples(UInt64(part) + 1, ticks: ticks))])
        }
        let query = RangeQuery(device: device, from: start + 5_000, to: start + 24_999, step: 10_000, metrics: ["cpu_usage"])
        let found = try await store.range(query)
        #expect(found.map { $0.series } == [Series("cpu_usage")])
        let points = try #require(found.first?.points)
        #expect(points.map { $0.at } == [start, start + 10_000, start + 20_000])
        #expect(points.map { $0.count } == [5, 10, 5])
        #expect(points[0].minimum == 0.05 && points[0].maximum == 0.09 && abs(points[0].mean - 0.07) < 1e-12)
        #expect(try await store.range(RangeQuery(device: device, from: 0, to: start - 1, step: 1_000)).isEmpty)
        #expect(try await store.range(RangeQuery(device: SampleBatches.device("other"), from: 0, to: start * 2, step: 1_000)).isEmpty)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a mean over time counts a value as long as it holds, until it is stale`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let start = SampleBatches.start
        // 10 from −30 s to 20 s, 40 to 80 s, 1 from there until it is stale at 200 s; in two batches, the later first.
        let samples = [(-30, 10.0), (20, 40), (50, 40), (80, 1)].map { seconds, value in
            Tick(at: start + Int64(seconds) * 1_000, readings: [Reading(Series("x"), value)])
        }
        _ = try await store.commit([try incoming(SampleBatches.samples(2, ticks: Array(samples[2...])))])
        _ = try await store.commit([try incoming(SampleBatches.samples(1, ticks: Array(samples[..<2])))])
        func points(_ from: Int64, _ to: Int64, step: Int64) async throws -> [AggregatedPoint] {
            let query = RangeQuery(
                device: device, from: start + from * 1_000, to: start + to * 1_000 - 1, step: step * 1_000, weighting: .time(holdMax: 120_000))
            return try await store.range(query).first?.points ?? []
        }
        let minutes = try await points(0, 300, step: 60)
        #expect(minutes.map { ($0.at - start) / 60_000 } == [0, 1, 2, 3])
        // 20 s of 10 and 40 s of 40; 20 s of 40 and 40 s of 1.
        let means: [Double] = [30, 14, 1, 1]
        #expect(zip(minutes, means).allSatisfy { abs($0.mean - $1) < 1e-9 })
        #expect(minutes.map { $0.count } == [2, 1, 0, 0])
        #expect(minutes.map { $0.minimum } == [10, 1, 1, 1] && minutes.map { $0.maximum } == [40, 40, 1, 1])
        let narrow = try await points(15, 25, step: 10)
        #expect(narrow.map { $0.mean } == [10, 40] && narrow.map { ($0.at - start) / 10_000 } == [1, 2])
        let whole = try await points(0, 300, step: 300)
        // 200 + 2,400 + 120 in 200 s.
        #expect(whole.map { ($0.mean * 1e6).rounded() / 1e6 } == [13.6])
        #expect(try await points(201, 300, step: 60).isEmpty)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a long block is found from a range within it, among many short ones`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let start = SampleBatches.start
        let long = [Tick(at: start, readings: [Reading(Series("x"), 1)]), Tick(at: start + 9_000_000, readings: [Reading(Series("x"), 2)])]
        _ = try await store.commit([try incoming(SampleBatches.samples(1, ticks: long))])
        let short = try (0..<600).map { index in
            try incoming(SampleBatches.samples(UInt64(index) + 2, ticks: SampleBatches.ticks(2, from: start + Int64(index) * 10_000)))
        }
        _ = try await store.commit(short)
        let found = try await store.range(RangeQuery(device: device, from: start, to: start + 10_000_000, step: 10_000_000, metrics: ["x"]))
        #expect(found.first?.points.reduce(0) { $0 + $1.count } == 2)
        let all = try await store.range(RangeQuery(device: device, from: start, to: start + 10_000_000, step: 20_000_000, metrics: ["cpu_usage"]))
        #expect(all.first?.points.reduce(0) { $0 + $1.count } == 1_200)
        #expect(try await store.range(RangeQuery(device: device, from: start, to: start, step: 1_000, metrics: ["x"])).first?.points.count == 1)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `an answer beyond the bound is an error`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        _ = try await store.commit([try incoming(SampleBatches.samples(1, ticks: SampleBatches.ticks(200)))])
        let query = RangeQuery(device: device, from: 0, to: SampleBatches.start * 2, step: 1_000, pointsMax: 100)
        await #expect { try await store.range(query) } throws: { ($0 as? StoreError)?.reason == .tooMuch }
    }

    @Test(arguments: TimeSeriesMake.all)
    func `endless gaps take bounded room, and nothing below them is counted twice`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let count = UInt64(SequenceRanges.rangesMax) + 100
        let group = try (1...count).map { try incoming(SampleBatches.document("{}", $0 * 2)) }
        #expect(try await store.commit(group).allSatisfy { $0 == .committed })
        #expect(try await store.commit([group[0], group[group.count - 1]]) == [.forgotten, .duplicate])
        #expect(try await store.taken(device: device, stream: SampleBatches.stream).closed.ranges.count == SequenceRanges.rangesMax)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `reads go on while groups are committed`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for sequence in 1...50 {
                    let batch = SampleBatches.samples(UInt64(sequence))
                    _ = try await store.commit([IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))])
                }
            }
            for _ in 0..<50 { _ = try await store.statistics() }
            try await group.waitForAll()
        }
        #expect(try await store.sampleCount(of: device) == 750)
    }
}
