import CollectorFixtures
import Telemetry
import Testing
import TimeSeriesStores

/// What a store says of when a device was sampled.
@Suite(.serialized) struct CoverageTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let start = SampleBatches.start

    @Test func `steady ticks have an interval and no pause`() {
        #expect(TickCoverage([0, 10_003, 19_998, 30_001]) == TickCoverage(start: 0, end: 30_001, interval: 10_000))
        #expect(TickCoverage([5]) == TickCoverage(start: 5, end: 5))
    }

    @Test func `a pause is where ticks are much further apart than usual, in whatever order they came`() {
        let expected = TickCoverage(start: 0, end: 120, interval: 10, pauses: [30...100])
        #expect(TickCoverage([0, 10, 20, 30, 100, 110, 120]) == expected)
        #expect(TickCoverage([100, 110, 120, 0, 10, 20, 30]) == expected)
    }

    @Test func `of too many pauses the longest are kept, and all come back from their bytes`() throws {
        var timestamps: [Int64] = [0]
        for index in 0..<40 {
            for _ in 0..<4 { timestamps.append(timestamps.last! + 10) }
            timestamps.append(timestamps.last! + 1_000 + Int64(index))
        }
        let coverage = TickCoverage(timestamps)
        #expect(coverage.pauses.count == TickCoverage.pausesMax)
        #expect(coverage.pauses.allSatisfy { $0.upperBound - $0.lowerBound >= 1_024 })
        #expect(try TickCoverage.pauses(decoding: coverage.encodedPauses, start: coverage.start) == coverage.pauses)
        for length in 1..<coverage.encodedPauses.count {
            _ = try? TickCoverage.pauses(decoding: Array(coverage.encodedPauses.prefix(length)), start: .max)
        }
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a range brings the batches that reach into it and the nearest on either side`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let group = try (1...8 as ClosedRange<UInt64>).map { sequence in
            let batch = SampleBatches.samples(sequence, ticks: SampleBatches.ticks(10, from: start + Int64(sequence) * 10_000))
            return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
        }
        _ = try await store.commit(group.shuffled())
        let coverage = try await store.coverage(of: device, from: start + 35_000, to: start + 55_000)
        #expect(coverage.records.map { $0.sequences.lowerBound } == [2, 3, 4, 5, 6])
        #expect(coverage.records[1].ticks == TickCoverage(start: start + 30_000, end: start + 39_000, interval: 1_000))
        #expect(coverage.records[1].samples == 15)
        #expect(coverage.accounts[SampleBatches.stream]?.closed.ranges == [1...8])
        #expect(try await store.coverage(of: device, from: 0, to: 5).records.map { $0.sequences.lowerBound } == [1])
        #expect(try await store.coverage(of: SampleBatches.device("stranger"), from: 0, to: .max) == DeviceCoverage())
    }

    @Test(arguments: TimeSeriesMake.all)
    func `without samples the accounts tell of what there was`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        _ = try await store.commit([IncomingBatch(batch: SampleBatches.document("{}", 1)), IncomingBatch(batch: SampleBatches.document("{}", 2))])
        let coverage = try await store.coverage(of: device, from: 0, to: .max)
        #expect(coverage.records.isEmpty && coverage.accounts[SampleBatches.stream]?.closed.ranges == [1...2])
    }

    @Test func `others are told of what one of two collectors wrote, and one alone is never`() async throws {
        let (one, other) = (try EmbeddedTimeSeriesStore(directory: scratch.path), try EmbeddedTimeSeriesStore(directory: scratch.path))
        func write(_ sequence: UInt64, to store: EmbeddedTimeSeriesStore) async throws {
            let batch = SampleBatches.samples(sequence)
            _ = try await store.commit([IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))])
        }
        try await write(1, to: one)
        #expect(try await one.devicesChangedByOthers().isEmpty)
        #expect(try await other.devicesChangedByOthers() == [device])
        #expect(try await other.devicesChangedByOthers().isEmpty)
        try await write(2, to: other)
        #expect(try await other.devicesChangedByOthers().isEmpty)
        #expect(try await one.devicesChangedByOthers() == [device])
    }
}
