import Telemetry

/// What a damaged file should have held and did not give back, as far as it can be told: ticks by themselves, batches by the state's account and
/// the times of their neighbours.
struct SalvageLoss {
    private(set) var receipts: [EvictionReceipt] = []

    private let scan: SalvageScan
    private let ticks: SalvagedTicks
    private let newestBatchAt: Int64?
    private let now: TickTime

    init(_ scan: SalvageScan, _ ticks: SalvagedTicks, newestBatchAt: Int64?, now: TickTime) {
        self.scan = scan
        self.ticks = ticks
        self.newestBatchAt = newestBatchAt
        self.now = now
        addLostTicks()
        addUnread()
        addMissingBatches()
    }

    /// All that can be told of a file that is gone before it was taken over.
    static func ofFile(_ now: TickTime) -> EvictionReceipt {
        EvictionReceipt(.dropped, cause: .damage, to: now.isSet ? now.wall : nil, ticks: 0, samples: 0)
    }

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
        // From the newest that was read to now there may have been more.
        let newest = [settled(ticks.last), newestBatchAt].compactMap { $0 }.max()
        // And from the first tick that came without some of its readings.
        let from = [newest, settled(ticks.firstWithLoss)].compactMap { $0 }.min()
        receipts.append(
            EvictionReceipt(
                .dropped, cause: .damage, from: from, to: now.isSet ? now.wall : nil, ticks: Int64(ticks.missing), samples: Int64(ticks.lostReadings))
        )
    }

    private mutating func addMissingBatches() {
        var samples = scan.state?.holdings.all.samples ?? 0
        var gap: (from: Int64?, to: Int64?) = (nil, nil)
        var previous: NewBatch?
        for place in scan.places {
            guard let found = scan.batch(at: place) else { continue }
            samples &-= found.samples
            if let before = previous, found.batch.firstSequence > before.batch.sequence + 1 { gap = (gap.from ?? before.lastAt, found.firstAt) }
            previous = found
        }
        guard samples > 0 || scan.state == nil else { return }
        // Behind the last one that was read there is an open end.
        if let newest = scan.state?.newest, let last = previous, last.batch.sequence < newest { gap = (gap.from ?? last.lastAt, nil) }
        let to = gap.to ?? (gap.from != nil && now.isSet ? now.wall : nil)
        receipts.append(EvictionReceipt(.dropped, cause: .damage, from: gap.from, to: to, ticks: 0, samples: max(0, samples)))
    }
}
