import LinuxDriver
import SQLiteDriver
import Telemetry

/// Takes over into a new buffer what a damaged file still holds. A batch keeps its bytes and tells the place that it had, under which it may
/// have been taken; the collector writes it only if it was not. Ticks that were never sealed become unsealed ticks.
struct Salvage {
    /// Batches, and bytes of them, in one transaction.
    private static let chunkBatches = 64
    private static let chunkBytes = 256 * 1024

    private let session: BufferSession
    private let scan: SalvageScan
    private let mark: SealMark?
    private let now: TickTime

    /// Nil when there is nothing to do, or the file is gone.
    init?(into session: BufferSession, now: TickTime) {
        guard let progress = session.state.salvage, let file = PagedFile(progress.path) else { return nil }
        self.session = session
        self.now = now
        scan = SalvageScan(file)
        // A mark of another life says nothing of this file.
        let stream = scan.state?.stream ?? scan.places.last?.stream
        mark = progress.mark.flatMap { stream == nil || stream == $0.stream ? $0 : nil }
    }

    /// Goes on from where it was, to the end.
    func run() throws(SQLiteError) {
        var next = 0
        let through = session.state.salvage?.through ?? 0
        while next < scan.places.count, scan.places[next].sequence <= through { next += 1 }
        while next < scan.places.count { try takeChunk(&next) }
        try takeRest()
    }

    private func takeChunk(_ next: inout Int) throws(SQLiteError) {
        let start = next
        var position = next
        do throws(SQLiteError) {
            try session.change(.written) { state throws(SQLiteError) in
                var bytes = 0
                position = start
                while position < scan.places.count, position - start < Self.chunkBatches, bytes < Self.chunkBytes {
                    let place = scan.places[position]
                    position += 1
                    guard let found = scan.batch(at: place) else { continue }
                    bytes += found.batch.payload.count
                    try session.seal(renamed(found, place, state), into: &state, isSent: true)
                    state.damage?.salvagedBatches += 1
                    state.salvage?.through = place.sequence
                }
            }
        } catch {
            guard error.isFull, try session.relieve(.size) else { throw error }
            return
        }
        next = position
        var steps = 0
        while try session.usedBytes() > session.limits.pressureBytes, steps < BufferLimits.roomSteps, try session.relieve(.size) { steps += 1 }
    }

    /// The batch as one of this stream. One that was salvaged before keeps the place that it had first: whoever took it since has taken that too.
    private func renamed(_ found: NewBatch, _ place: SalvageScan.Place, _ state: BufferState) -> NewBatch {
        var batch = found.batch
        batch.origin = batch.origin ?? Batch.Origin(stream: place.stream, sequence: place.sequence)
        batch.stream = state.stream
        batch.device = session.device
        return NewBatch(
            batch: batch, samples: found.samples, ticks: found.ticks, firstAt: found.firstAt, lastAt: found.lastAt, lastTick: 0)
    }

    // MARK: The rest

    /// The unsealed ticks, the receipts that were owed, and the receipt for what could not be read; with that the salvage is done.
    private func takeRest() throws(SQLiteError) {
        let ticks = scan.ticks(mark)
        let fitting = session.unsealed.fitting(ticks.unsealed)
        let known = max(scan.state?.newest ?? 0, mark?.newest ?? 0, scan.places.last?.sequence ?? 0)
        var insertion = UnsealedTicks.Insertion()
        try session.change(.forced) { state throws(SQLiteError) in
            insertion = UnsealedTicks.Insertion()
            try session.unsealed.insert(Array(fitting), &insertion)
            try takeReceipts(known, into: &state)
            for receipt in lossReceipts(ticks, unfitting: ticks.unsealed.dropLast(fitting.count)) { state.owed.add(receipt) }
            state.damage?.stream = scan.state?.stream ?? scan.places.last?.stream ?? mark?.stream
            state.damage?.newestSequence = known == 0 ? nil : known
            state.damage?.salvagedTicks = Int64(fitting.count)
            state.salvage = nil
        }
        session.unsealed.take(insertion)
    }

    /// Receipts that the damaged file owed speak of its sequences, so they become batches of its stream that come after all others.
    private func takeReceipts(_ newest: Sequence64, into state: inout BufferState) throws(SQLiteError) {
        guard let old = scan.state else { return }
        var sequence = newest
        for receipt in old.owed.receipts {
            sequence += 1
            let at = receipt.to ?? 0
            guard TickTime.isPlausible(at) else { continue }
            let batch = Batch(
                kind: .event, priority: EvictionReceipt.priority, device: session.device, stream: state.stream, sequence: 1,
                origin: Batch.Origin(stream: old.stream, sequence: sequence), sealedAt: at, payload: Array(receipt.json(at: at).utf8)[...])
            let new = NewBatch(batch: batch, samples: 0, ticks: 0, firstAt: at, lastAt: at, lastTick: 0)
            try session.seal(new, into: &state, isSent: true)
        }
    }

    /// What the file should have held and did not give back, as far as it can be told: ticks by themselves, batches by the state's account and the
    /// times of their neighbours.
    private func lossReceipts(_ ticks: SalvageScan.Ticks, unfitting: ArraySlice<PendingTick>) -> [EvictionReceipt] {
        var receipts: [EvictionReceipt] = []
        let earlier = BootOffsets(ticks.uncertain + ticks.unsealed)
        for lost in ticks.uncertain + unfitting {
            let at = now.settled(lost, earlier)?.at
            receipts.append(
                EvictionReceipt(.dropped, cause: .damage, from: at, to: at, ticks: 1, samples: Int64(lost.tick.readings.count)))
        }
        let last = ticks.unsealed.last ?? ticks.uncertain.last
        if ticks.missing > 0 || ticks.lostReadings > 0 || scan.damagedRows > 0 || scan.state == nil {
            // From the newest that was read to now there may have been more.
            let newest = [last.flatMap { now.settled($0, earlier)?.at }, newestBatchAt].compactMap { $0 }.max()
            // And from the first tick that came without some of its readings.
            let firstLoss = ticks.firstWithLoss.flatMap { now.settled($0, earlier)?.at }
            let from = [newest, firstLoss].compactMap { $0 }.min()
            receipts.append(
                EvictionReceipt(
                    .dropped, cause: .damage, from: from, to: now.isSet ? now.wall : nil, ticks: Int64(ticks.missing),
                    samples: Int64(ticks.lostReadings)))
        }
        if let lost = missingBatches() { receipts.append(lost) }
        return receipts
    }

    private var newestBatchAt: Int64? { scan.places.last.flatMap { scan.batch(at: $0)?.lastAt } }

    private func missingBatches() -> EvictionReceipt? {
        var samples = scan.state?.holdings.all.samples ?? 0
        var gap: (from: Int64?, to: Int64?) = (nil, nil)
        var previous: NewBatch?
        for place in scan.places {
            guard let found = scan.batch(at: place) else { continue }
            samples -= found.samples
            if let before = previous, found.batch.firstSequence > before.batch.sequence + 1 { gap = (gap.from ?? before.lastAt, found.firstAt) }
            previous = found
        }
        guard samples > 0 || scan.state == nil else { return nil }
        // Behind the last one that was read there is an open end.
        if let newest = scan.state?.newest, let last = previous, last.batch.sequence < newest { gap = (gap.from ?? last.lastAt, nil) }
        return EvictionReceipt(.dropped, cause: .damage, from: gap.from, to: gap.to, ticks: 0, samples: max(0, samples))
    }
}
