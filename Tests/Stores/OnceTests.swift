import CollectorFixtures
import Telemetry
import Testing
import TimeSeriesStores

/// Every make takes each sample once, whatever is sent, when, and to which collector.
@Suite(.serialized) struct OnceTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let stream = SampleBatches.stream
    private let old: StreamId = 0x01D

    private func samples(
        _ sequence: Sequence64, stream: StreamId = SampleBatches.stream, span: UInt64 = 1, origin: Batch.Origin? = nil, resolution: Int = 0,
        ticks: [Tick] = SampleBatches.ticks(2)
    ) throws -> IncomingBatch {
        var batch = SampleBatches.samples(sequence, stream: stream, ticks: ticks)
        batch.span = span
        batch.origin = origin
        batch.resolution = resolution
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    private func dropped(_ sequences: [ClosedRange<Sequence64>], by sequence: Sequence64, stream: StreamId = SampleBatches.stream) -> IncomingBatch {
        let receipt = EvictionReceipt(action: .dropped, cause: "size", stream: stream, sequences: sequences, ticks: 1, samples: 3)
        return IncomingBatch(batch: SampleBatches.document("{}", sequence, kind: .event), receipt: receipt)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a batch for several sequences takes them all, and none of them again`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        #expect(try await store.commit([try samples(5, span: 4, resolution: 60)]) == [.committed])
        let again = [try samples(5, span: 4), try samples(3), try samples(1), try samples(7, span: 3), try samples(6)]
        #expect(try await store.commit(again) == [.duplicate, .duplicate, .committed, .overlap, .committed])
        #expect(try await store.taken(device: device, stream: stream).closed.ranges == [1...6])
        #expect(try await store.statistics().blocks == 3)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a salvaged batch is taken once under both of its names`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        _ = try await store.commit([try samples(1, stream: old)])
        let salvaged = [
            try samples(1, origin: Batch.Origin(stream: old, sequence: 1)), try samples(2, origin: Batch.Origin(stream: old, sequence: 2)),
            try samples(5, span: 3, origin: Batch.Origin(stream: old, sequence: 5)),
        ]
        #expect(try await store.commit(salvaged) == [.duplicate, .committed, .committed])
        // What was on its way under the old name comes after all.
        #expect(
            try await store.commit([try samples(2, stream: old), try samples(4, stream: old)] + salvaged) == .init(repeating: .duplicate, count: 5))
        #expect(try await store.taken(device: device, stream: stream).closed.ranges == [1...5])
        #expect(try await store.taken(device: device, stream: old).closed.ranges == [1...5])
        #expect(try await store.statistics().blocks == 3)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a salvaged batch that was partly taken under its old name is not counted`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        _ = try await store.commit([try samples(4, stream: old)])
        #expect(try await store.commit([try samples(3, span: 3, origin: Batch.Origin(stream: old, sequence: 5))]) == [.overlap])
        #expect(try await store.taken(device: device, stream: stream).closed.ranges.isEmpty)
        #expect(try await store.taken(device: device, stream: old).closed.ranges == [4...4])
    }

    @Test(arguments: TimeSeriesMake.all)
    func `what a receipt gives up is closed with it, and never taken afterwards`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        #expect(try await store.commit([try samples(1), dropped([2...3, 5...9], by: 10)]) == [.committed, .committed])
        #expect(try await store.taken(device: device, stream: stream).closed.ranges == [1...3, 5...10])
        #expect(try await store.commit([try samples(2), try samples(4)]) == [.duplicate, .committed])
        #expect(try await store.commit([dropped([2...3, 5...9], by: 10)]) == [.duplicate])
        let receipts = try await store.coverage(of: device, from: 0, to: .max).receipts
        #expect(receipts.count == 1 && receipts.first?.sequences == [2...3, 5...9] && receipts.first?.samples == 3)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `the account stays small over a million batches whose gaps receipts close`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        var sequence: Sequence64 = 0
        for _ in 0..<100 {
            var group: [IncomingBatch] = []
            for _ in 0..<10 {
                let first = sequence + 1
                let gaps = (0..<UInt64(EvictionReceipt.rangesMax)).map { first + $0 * 15 + 1...first + $0 * 15 + 14 }
                group += gaps.map { IncomingBatch(batch: SampleBatches.document("{}", $0.lowerBound - 1)) }
                sequence = first + UInt64(EvictionReceipt.rangesMax) * 15
                group.append(dropped(gaps, by: sequence))
            }
            #expect(try await store.commit(group).allSatisfy { $0 == .committed })
        }
        #expect(sequence > 950_000)
        #expect(try await store.taken(device: device, stream: stream).closed.ranges == [1...sequence])
        #expect(try await store.coverage(of: device, from: 0, to: .max).receipts.count <= TimeSeriesLimits.receiptsPerDeviceMax)
        let samples = try await store.coverage(of: device, from: 0, to: .max).receipts.reduce(0) { $0 + $1.samples }
        #expect(samples == 3_000)
    }

    /// What a fleet of one device may do to a store: everything at least once, in any order, interleaved, to either collector.
    @Test(arguments: TimeSeriesMake.all, 0..<4)
    func `out of order, re-sent and interleaved, every sequence is taken once`(make: TimeSeriesMake, seed: UInt64) async throws {
        let store = try await make.open(scratch)
        var random = SplitMix(state: seed)
        var sent: [IncomingBatch] = []
        for streamNumber in 1...3 as ClosedRange<UInt64> {
            var sequence: UInt64 = 0
            while sequence < 60 {
                let span = UInt64.random(in: 1...4, using: &random)
                sequence += span
                // Each copy is the same; a tick for each sequence, so that a lost or doubled one shows in the sum.
                let ticks = SampleBatches.ticks(Int(span), from: SampleBatches.start + Int64(sequence) * 10_000)
                let copies = Int.random(in: 1...4, using: &random)
                sent += [IncomingBatch](repeating: try samples(sequence, stream: streamNumber, span: span, ticks: ticks), count: copies)
            }
        }
        var committed = 0
        sent.shuffle(using: &random)
        for start in stride(from: 0, to: sent.count, by: 7) {
            committed += try await store.commit(Array(sent[start..<min(start + 7, sent.count)])).filter { $0 == .committed }.count
        }
        let distinct = Set(sent.map { [$0.batch.stream, $0.batch.sequence] })
        #expect(committed == distinct.count)
        #expect(try await store.statistics().blocks == Int64(distinct.count))
        let ticks = try await store.coverage(of: device, from: 0, to: .max).records.reduce(0) { $0 + $1.sequences.count }
        #expect(ticks == sent.reduce(into: [:]) { $0[[$1.batch.stream, $1.batch.sequence]] = Int($1.batch.span) }.values.reduce(0, +))
    }

    @Test(arguments: TimeSeriesMake.all)
    func `what was refused is closed, and can be taken once afterwards`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let batch = try samples(3, span: 2)
        let place = QuarantinedItem.Place(stream: stream, sequences: 2...3)
        let item = QuarantinedItem(device: device, reason: "too_late: x", at: 1, place: place, bytes: batch.batch.encoded())
        try await store.quarantine([item, item])
        _ = try await store.commit([try samples(1), try samples(4)])
        let account = try await store.taken(device: device, stream: stream)
        #expect(account.closed.ranges == [1...4] && account.refused.ranges == [2...3])
        #expect(try await store.commit([batch, batch]) == [.committed, .duplicate])
        #expect(try await store.commit([batch]) == [.duplicate])
        #expect(try await store.taken(device: device, stream: stream).refused.ranges.isEmpty)
        // Refusing it again cannot bring it back: it is taken.
        try await store.quarantine([item])
        #expect(try await store.commit([batch]) == [.duplicate])
        #expect(try await store.statistics().blocks == 3)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `what is refused as an overlap is never called a duplicate`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        _ = try await store.commit([try samples(5)])
        let batch = try samples(6, span: 3)
        #expect(try await store.commit([batch]) == [.overlap])
        let place = QuarantinedItem.Place(stream: stream, sequences: 4...6)
        try await store.quarantine([QuarantinedItem(device: device, reason: "overlap: x", at: 1, place: place, bytes: batch.batch.encoded())])
        let account = try await store.taken(device: device, stream: stream)
        #expect(account.closed.ranges == [4...6] && account.refused.ranges == [4...4, 6...6])
        #expect(try await store.commit([batch]) == [.overlap])
        // What is missing may still come by itself, and then it is all there.
        #expect(try await store.commit([try samples(4), try samples(6), batch]) == [.committed, .committed, .duplicate])
    }

    @Test(arguments: TimeSeriesMake.all)
    func `an account with as many refused ranges as it may have stays readable when one of them is split`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        let items = (1...UInt64(TakenSequences.refusedRangesMax)).map { number in
            QuarantinedItem(
                device: device, reason: "x", at: 1, place: QuarantinedItem.Place(stream: stream, sequences: number * 10...number * 10 + 2), bytes: [1]
            )
        }
        try await store.quarantine(items)
        #expect(try await store.commit([try samples(5_001)]) == [.committed])
        #expect(try await store.commit([try samples(5_002), try samples(1)]) == [.committed, .committed])
        #expect(try await store.taken(device: device, stream: stream).refused.ranges.count <= TakenSequences.refusedRangesMax)
    }

    @Test(arguments: TimeSeriesMake.all)
    func `a probe leaves nothing behind`(make: TimeSeriesMake) async throws {
        let store = try await make.open(scratch)
        _ = try await store.commit([try samples(1)])
        let before = try await store.statistics()
        for _ in 0..<2 { try await store.probe() }
        #expect(try await store.statistics() == before)
        #expect(try await store.commit([try samples(2)]) == [.committed])
    }
}
