import Telemetry

/// What a damaged file should have held and did not give back, as far as it can be told: ticks by themselves, batches by the state's account and
/// the times of their neighbours.
struct SalvageLoss {
    private(set) var receipts: [EvictionReceipt] = []
    /// The sequences of the file's stream that will not come: under that stream's name it is to be told.
    private(set) var missing: EvictionReceipt?

    private let scan: SalvageScan
    private let ticks: SalvagedTicks
    private let newestBatchAt: Int64?
    private let now: TickTime

    /// - Parameters:
    ///   - stream: the file's; nil when it is not known.
    ///   - known: the newest sequence that it is known to have sealed.
    ///   - taken: up to here batches were taken over by an earlier run, which may have read more.
    init(
        _ scan: SalvageScan, _ ticks: SalvagedTicks, of stream: StreamId?, through known: Sequence64, taken: Sequence64, newestBatchAt: Int64?,
        now: TickTime
    ) {
        self.scan = scan
        self.ticks = ticks
        self.newestBatchAt = newestBatchAt
        self.now = now
        addLostTicks()
        addUnread()
        addMissingBatches(stream, through: known, taken)
    }

    /// All that can be told of a file that is gone before it was taken over.
    static func ofFile(_ now: TickTime) -> EvictionReceipt {
        EvictionReceipt(.dropped, cause: .damage, to: now.isSet ? now.wall : nil, ticks: 0, samples: 0)
    }

    /// The newest that was read.
    private var newestAt: Int64? { [settled(ticks.last), newestBatchAt].compactMap { $0 }.max() }

    private func settled(_ tick: PendingTick?) -> Int64? { tick.flatMap { now.settled($0, ticks.offsets)?.at } }

    private mutating func addLostTicks() {
        var all: EvictionReceipt?
        for lost in ticks.lost {
            let at = settled(lost.tick)
            let receipt = EvictionReceipt(.dropped, cause: .damage, from: at, to: at, ticks: 1, samples: Int64(lost.readings))
            if all?.absorb(receipt) != true { all = receipt }
        }
        if let all { receipts.append(all) }
    }

    private mutating func addUnread() {
        guard ticks.missing > 0 || ticks.lostReadings > 0 || scan.damagedRows > 0 || scan.state == nil else { return }
        // From the newest that was read to now there may have been more, and from the first tick that came without some of its readings.
        let from = [newestAt, settled(ticks.firstWithLoss)].compactMap { $0 }.min()
        receipts.append(
            EvictionReceipt(
                .dropped, cause: .damage, from: from, to: nowIfSet, ticks: Int64(ticks.missing), samples: Int64(ticks.lostReadings))
        )
    }

    private mutating func addMissingBatches(_ stream: StreamId?, through known: Sequence64, _ taken: Sequence64) {
        var samples = scan.state?.holdings.all.samples ?? 0
        var gap: (from: Int64?, to: Int64?) = (nil, nil)
        var previous: NewBatch?
        var found = SequenceRanges()
        if taken > 0 { found.insert(1...taken) }
        for place in scan.places {
            guard let one = scan.batch(at: place) else { continue }
            samples &-= one.samples
            if place.stream == stream { found.insert(one.batch.firstSequence...one.batch.sequence) }
            // What comes under this name is not missing.
            if let origin = one.batch.origin, origin.stream == stream, origin.sequence >= one.batch.span {
                found.insert(origin.sequence - one.batch.span + 1...origin.sequence)
            }
            if let before = previous, one.batch.firstSequence > before.batch.sequence + 1 { gap = (gap.from ?? before.lastAt, one.firstAt) }
            previous = one
        }
        let isBehindMark = known > scan.state?.newest ?? 0
        guard samples > 0 || scan.state == nil || isBehindMark else { return }
        // Behind the last one that was read there is an open end.
        if let last = previous, last.batch.sequence < known { gap = (gap.from ?? last.lastAt, nowIfSet) }
        if samples > 0 || scan.state == nil {
            receipts.append(
                EvictionReceipt(
                    .dropped, cause: .damage, from: gap.from, to: gap.to ?? (gap.from == nil ? nil : nowIfSet), ticks: 0, samples: max(0, samples)))
        }
        guard known > 0 else { return }
        name(found.gaps(in: 1...known), from: isBehindMark ? newestAt ?? gap.from : gap.from, to: isBehindMark ? nowIfSet : gap.to ?? nowIfSet)
    }

    /// Those that were acknowledged are among them, nobody knows which: the collector has them closed, and paints what is stored over what is lost. Where
    /// there are too many, the newest are named.
    private mutating func name(_ gaps: [ClosedRange<Sequence64>], from: Int64?, to: Int64?) {
        for range in gaps.suffix(EvictionReceipt.rangesMax) {
            let receipt = EvictionReceipt(.dropped, cause: .damage, sequences: range, from: from, to: to, ticks: 0, samples: 0)
            if missing?.absorb(receipt) != true { missing = receipt }
        }
    }

    private var nowIfSet: Int64? { now.isSet ? now.wall : nil }
}
