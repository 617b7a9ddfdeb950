import CollectorFixtures
import CompletenessService
import Telemetry
import Testing
import TimeSeriesStores

/// The partition as a table: what is stored and told, and what each stretch of time then is. Ticks are 10 s apart and batches have six of them.
@Suite struct CompletenessTests {
    /// A minute's batch: ticks at 0, 10 … 50 s of the minute.
    private func batch(_ sequence: Sequence64, minute: Int64, stream: StreamId = 1, resolution: Int = 0, span: UInt64 = 1) -> DeviceCoverage.Record {
        let start = minute * 60_000
        return DeviceCoverage.Record(
            stream: stream, sequences: sequence - (span - 1)...sequence, ticks: TickCoverage(start: start, end: start + 50_000, interval: 10_000),
            samples: 60, resolution: resolution)
    }

    private func account(_ ranges: [ClosedRange<Sequence64>], refused: [ClosedRange<Sequence64>] = [], floor: Sequence64 = 0) -> TakenSequences {
        var closed = SequenceRanges()
        for range in ranges { closed.insert(range) }
        var out = SequenceRanges()
        for range in refused { out.insert(range) }
        return TakenSequences(floor: floor, closed: closed, refused: out)
    }

    private func dropped(_ sequences: [ClosedRange<Sequence64>], minutes: ClosedRange<Int64>? = nil, cause: String = "size") -> EvictionReceipt {
        EvictionReceipt(
            action: .dropped, cause: cause, stream: 1, sequences: sequences,
            time: minutes.map { $0.lowerBound * 60_000...$0.upperBound * 60_000 + 50_000 }, ticks: 6, samples: 60)
    }

    /// Minutes of each state; the parts always add up to the range.
    private func minutes(
        _ records: [DeviceCoverage.Record], _ accounts: [StreamId: TakenSequences], receipts: [EvictionReceipt] = [], range: Range<Int64> = 0..<10,
        now: Int64 = 600_000, isOnline: Bool = false, lastSeen: Int64? = nil
    ) -> [Completeness.State: Double] {
        let answer = ask(records, accounts, receipts: receipts, range: range, now: now, isOnline: isOnline, lastSeen: lastSeen)
        #expect(answer.segments.reduce(0) { $0 + $1.milliseconds } == answer.range.upperBound - answer.range.lowerBound)
        for (one, next) in zip(answer.segments, answer.segments.dropFirst()) { #expect(one.time.upperBound == next.time.lowerBound) }
        var minutes: [Completeness.State: Double] = [:]
        for state in Completeness.State.allCases where answer.milliseconds(state) > 0 { minutes[state] = Double(answer.milliseconds(state)) / 60_000 }
        return minutes
    }

    private func ask(
        _ records: [DeviceCoverage.Record], _ accounts: [StreamId: TakenSequences], receipts: [EvictionReceipt] = [], range: Range<Int64> = 0..<10,
        now: Int64 = 600_000, isOnline: Bool = false, lastSeen: Int64? = nil
    ) -> Completeness {
        let coverage = DeviceCoverage(records: records.sorted { $0.ticks.start < $1.ticks.start }, receipts: receipts, accounts: accounts)
        return CompletenessQuestion(
            coverage: coverage, range: range.lowerBound * 60_000..<range.upperBound * 60_000, now: now, isOnline: isOnline,
            lastSeen: lastSeen
        ).answer()
    }

    private func steady(_ sequences: ClosedRange<Int64>) -> [DeviceCoverage.Record] { sequences.map { batch(UInt64($0), minute: $0 - 1) } }

    @Test func `receipts that tell of more samples than there can be add up to a bound`() {
        let receipts = (0..<3).map { _ in
            EvictionReceipt(action: .dropped, cause: "size", stream: 1, ticks: 1, samples: .max)
        }
        #expect(ask([], [:], receipts: receipts).samples[.evicted] == EvictionReceipt.countMax)
        #expect(receipts[0].merged(with: receipts[1]).samples == EvictionReceipt.countMax)
    }

    @Test func `batch after batch is one stretch of stored time`() {
        let answer = ask(steady(1...10), [1: account([1...10])])
        #expect(answer.segments == [Completeness.Segment(.stored, 0..<600_000)])
        #expect(answer.isComplete && answer.samples[.stored] == 600)
    }

    @Test func `ticks that come a little late leave no holes`() {
        let late = (1...10).map { index -> DeviceCoverage.Record in
            let start = Int64(index - 1) * 60_000 + Int64(index % 3) * 4_000
            return DeviceCoverage.Record(
                stream: 1, sequences: UInt64(index)...UInt64(index), ticks: TickCoverage(start: start, end: start + 50_000, interval: 10_000),
                samples: 6)
        }
        #expect(ask(late, [1: account([1...10])]).milliseconds(.stored) == 600_000)
    }

    @Test func `a batch that has not come is on the device`() {
        let records = steady(1...4) + steady(7...10)
        #expect(minutes(records, [1: account([1...4, 7...10])]) == [.stored: 8, .onDevice: 2])
    }

    @Test func `time without a missing batch was not sampled`() {
        let records = steady(1...4) + (5...8).map { batch(UInt64($0), minute: Int64($0) + 1) }
        #expect(minutes(records, [1: account([1...8])]) == [.stored: 8, .notSampled: 2])
        // Documents and events have numbers too: closed, and of no time.
        let documents = steady(1...4) + (8...11).map { batch(UInt64($0), minute: Int64($0) - 2) }
        #expect(minutes(documents, [1: account([1...11])]) == [.stored: 8, .notSampled: 2])
    }

    @Test func `what a receipt gives up is evicted, by its time or by its sequences`() {
        let records = steady(1...4) + steady(7...10)
        let accounts: [StreamId: TakenSequences] = [1: account([1...11])]
        #expect(minutes(records, accounts, receipts: [dropped([5...6], minutes: 4...5)]) == [.stored: 8, .evicted: 2])
        #expect(minutes(records, accounts, receipts: [dropped([5...6])]) == [.stored: 8, .evicted: 2])
        let answer = ask(records, accounts, receipts: [dropped([5...6], minutes: 4...5, cause: "disk_full")])
        #expect(answer.gaps.map { $0.cause } == ["disk_full"] && answer.samples[.evicted] == 60 && !answer.isComplete)
    }

    @Test func `a receipt for what came after all takes nothing away`() {
        #expect(minutes(steady(1...10), [1: account([1...11])], receipts: [dropped([5...6], minutes: 4...5)]) == [.stored: 10])
    }

    @Test func `a hole of evicted and delayed batches is shared between them`() {
        let records = steady(1...4) + steady(9...10)
        let accounts: [StreamId: TakenSequences] = [1: account([1...6, 9...10])]
        #expect(minutes(records, accounts, receipts: [dropped([5...6])]) == [.stored: 6, .evicted: 2, .onDevice: 2])
    }

    @Test func `thinned time is thinned, and whole`() {
        let thinned = DeviceCoverage.Record(
            stream: 1, sequences: 5...6, ticks: TickCoverage(start: 300_000, end: 360_000, interval: 60_000), samples: 8, resolution: 60)
        let answer = ask(steady(1...4) + [thinned] + steady(7...10), [1: account([1...10])])
        #expect(answer.milliseconds(.thinned) == 120_000 && answer.milliseconds(.stored) == 480_000 && answer.isComplete)
        #expect(answer.samples[.thinned] == 8)
    }

    @Test func `what was refused is unknown`() {
        let records = steady(1...4) + steady(6...10)
        #expect(minutes(records, [1: account([1...10], refused: [5...5])]) == [.stored: 9, .unknown: 1])
    }

    @Test func `what lies below the account is unknown`() {
        let records = steady(1...4) + steady(6...10)
        #expect(minutes(records, [1: account([6...10], floor: 6)]) == [.stored: 9, .unknown: 1])
    }

    @Test func `before the first batch of the first stream there was nothing to sample`() {
        let records = (1...4).map { batch(UInt64($0), minute: Int64($0) + 5) }
        #expect(minutes(records, [1: account([1...4])]) == [.stored: 4, .notSampled: 6])
    }

    @Test func `a backlog that fills in newest first is on the device until it comes`() {
        let records = (7...10).map { batch(UInt64($0), minute: Int64($0) - 1) }
        #expect(minutes(records, [1: account([7...10])]) == [.stored: 4, .onDevice: 6])
    }

    @Test func `between two streams nobody knows, unless the new one still owes something`() {
        let records = steady(1...4) + (1...4).map { batch(UInt64($0), minute: Int64($0) + 5, stream: 2) }
        #expect(minutes(records, [1: account([1...4]), 2: account([1...4])]) == [.stored: 8, .unknown: 2])
        let later = steady(1...4) + (3...6).map { batch(UInt64($0), minute: Int64($0) + 3, stream: 2) }
        #expect(minutes(later, [1: account([1...4]), 2: account([3...6])]) == [.stored: 8, .onDevice: 2])
    }

    @Test func `silence at the end is unknown, and on the device when that has told of more`() {
        #expect(minutes(steady(1...4), [1: account([1...4])]) == [.stored: 4, .unknown: 6])
        #expect(minutes(steady(1...4), [1: account([1...4, 9...9])]) == [.stored: 4, .onDevice: 6])
    }

    @Test func `the last minutes of a connected device are on it, and no gap`() {
        let answer = ask(steady(1...8), [1: account([1...8])], isOnline: true)
        #expect(answer.milliseconds(.onDevice) == 120_000 && answer.isComplete)
        #expect(ask(steady(1...5), [1: account([1...5])], isOnline: true).isComplete == false)
    }

    @Test func `a pause within a batch was not sampled`() {
        let paused = DeviceCoverage.Record(
            stream: 1, sequences: 5...5, ticks: TickCoverage(start: 240_000, end: 410_000, interval: 10_000, pauses: [260_000...380_000]), samples: 6)
        let records = steady(1...4) + [paused] + (6...8).map { batch(UInt64($0), minute: Int64($0) + 1) }
        #expect(ask(records, [1: account([1...8])]).milliseconds(.notSampled) == 110_000)
    }

    @Test func `the future is not expected`() {
        #expect(minutes(steady(1...10), [1: account([1...10])], range: 0..<1_000) == [.stored: 10])
    }

    @Test func `a device of which nothing is stored is unknown`() {
        #expect(minutes([], [:]) == [.unknown: 10])
    }

    @Test func `a device that sends documents alone did not sample, up to when it was last heard of`() {
        #expect(minutes([], [1: account([1...3])], lastSeen: 240_000) == [.notSampled: 4, .unknown: 6])
        #expect(minutes([], [1: account([1...3])], isOnline: true, lastSeen: 540_000) == [.notSampled: 9, .onDevice: 1])
        #expect(ask([], [1: account([1...3])], isOnline: true, lastSeen: 540_000).isComplete)
        // What its numbers say is missing may be samples.
        #expect(minutes([], [1: account([1...1, 4...5])], lastSeen: 240_000) == [.onDevice: 10])
    }

    @Test func `a device whose batches were all refused is unknown`() {
        #expect(minutes([], [1: account([1...3], refused: [1...3])]) == [.unknown: 10])
        #expect(minutes([], [1: account([1...4], refused: [1...3])], lastSeen: 240_000) == [.unknown: 10])
    }

    @Test func `what was not sampled is told with the gaps, behind them, and is not missing`() {
        let records = steady(1...2) + (3...4).map { batch(UInt64($0), minute: Int64($0) + 2) } + [batch(6, minute: 8), batch(7, minute: 9)]
        let answer = ask(records, [1: account([1...4, 6...7])])
        #expect(answer.gaps.map { $0.state } == [.onDevice, .notSampled] && !answer.isComplete)
        #expect(answer.gaps.map { $0.milliseconds } == [60_000, 180_000].sorted())
        #expect(ask(steady(1...4) + (5...8).map { batch(UInt64($0), minute: Int64($0) + 1) }, [1: account([1...8])]).isComplete)
    }

    @Test func `receipts and accounts of absurd size are no more than a share`() {
        let huge: ClosedRange<Sequence64> = 2...(1 << 63 - 2)
        let accounts: [StreamId: TakenSequences] = [1: account([1...1, huge]), 2: account([huge], refused: [huge])]
        let receipts = (0..<4).map { _ in dropped([huge]) }
        #expect(minutes([], accounts, receipts: receipts).values.reduce(0, +) == 10)
        #expect(minutes([batch(1, minute: 0), batch(1 << 63 - 1, minute: 9)], accounts, receipts: receipts)[.evicted] == 8)
    }

    @Test func `a picture shows the worst of each bin, and as many bins as asked for`() {
        let records = steady(1...4) + steady(6...10)
        let strip = ask(records, [1: account([1...4, 6...10])]).strip(bins: 5)
        #expect(strip.map { $0.state } == [.stored, .onDevice, .stored] && strip.map { $0.bins } == [2, 1, 2])
        #expect(ask(records, [1: account([1...4, 6...10])]).strip(bins: 7).reduce(0) { $0 + $1.bins } == 7)
    }

    /// Whatever a store says, and be it nonsense, the answer is a partition.
    @Test(arguments: 0..<200 as Range<UInt64>) func `any coverage gives a partition`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let records = (0..<Int.random(in: 0...20, using: &random)).map { _ -> DeviceCoverage.Record in
            let start = Int64.random(in: -100_000...700_000, using: &random)
            let end = start + Int64.random(in: 0...90_000, using: &random)
            let first = UInt64.random(in: 1...30, using: &random)
            return DeviceCoverage.Record(
                stream: UInt64.random(in: 1...2, using: &random), sequences: first...first + UInt64.random(in: 0...3, using: &random),
                ticks: TickCoverage(
                    start: start, end: end, interval: Int64.random(in: 0...20_000, using: &random),
                    pauses: Bool.random(using: &random) ? [start...end] : []),
                samples: 6, resolution: Bool.random(using: &random) ? 0 : 60)
        }
        let receipts = (0..<3).map { _ in dropped([UInt64.random(in: 1...9, using: &random)...12], minutes: Bool.random(using: &random) ? 2...5 : nil)
        }
        let accounts: [StreamId: TakenSequences] = [1: account([2...9, 11...20], refused: [4...5], floor: UInt64.random(in: 0...6, using: &random))]
        _ = minutes(records, accounts, receipts: receipts, isOnline: Bool.random(using: &random))
    }
}
