import LinuxDriver
import SQLiteDriver
import Telemetry

/// Takes over into a new buffer what a damaged file still holds. A batch keeps its bytes and tells the place that it had, under which it may
/// have been taken; the collector writes it only if it was not. Ticks that were never sealed become unsealed ticks.
struct Salvage {
    /// Batches, and bytes of them, in one transaction.
    private static let chunkBatches = 64
    private static let chunkBytes = 256 * 1024
    /// Files taken over one after the other, where each was damaged while it took over the one before it.
    static let filesMax = 4

    private let session: BufferSession
    private let scan: SalvageScan
    private let mark: SealMark?
    private let now: TickTime
    private let isOtherLifeLost: Bool

    /// Nil when there is nothing to do, or the file is gone.
    init?(into session: BufferSession, now: TickTime) {
        guard let progress = session.state.salvage, let file = PagedFile(progress.path) else { return nil }
        self.session = session
        self.now = now
        var scan = SalvageScan(file)
        // A mark of another life says nothing of this file.
        let stream = scan.state?.stream ?? scan.places.last?.stream
        mark = progress.mark.flatMap { stream == nil || stream == $0.stream ? $0 : nil }
        // The mark is made when the transaction is on the disk: one that it knows was committed, and damaged since.
        if let mark, mark.newest > scan.state?.newest ?? 0 || mark.sealedTick > scan.state?.sealedTick ?? 0,
            let all = PagedFile(progress.path, isCommitted: true)
        {
            scan = SalvageScan(all)
        }
        self.scan = scan
        // The file is whole and took nothing over: what was marked was in another one, and nobody knows where that is.
        isOtherLifeLost = progress.mark != nil && mark == nil && scan.state.map { $0.salvage == nil && $0.damage == nil } ?? false
    }

    /// Goes on from where it was, to the end.
    func run() throws(SQLiteError) {
        var next = 0
        let through = session.state.salvage?.through ?? 0
        while next < scan.places.count, scan.places[next].sequence <= through { next += 1 }
        while next < scan.places.count { try takeChunk(&next) }
        try takeRest(after: through)
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
            // On a full disk nothing is given up for it: all of it is still in the file aside, and the next start goes on.
            guard error.isFull, !session.isDiskFull, try session.relieve(.size) else { throw error }
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

    /// The unsealed ticks, the receipts that were owed, what the file itself still had to salvage and to tell, and the receipt for what could not be
    /// read; with that the salvage of this file is done.
    private func takeRest(after taken: Sequence64) throws(SQLiteError) {
        let ticks = SalvagedTicks(scan, mark, room: session.unsealed.room)
        let newestAt = newestBatchAt
        let stream = scan.state?.stream ?? scan.places.last?.stream ?? mark?.stream
        let known = max(scan.state?.newest ?? 0, mark?.newest ?? 0, scan.places.last?.sequence ?? 0)
        let loss = SalvageLoss(scan, ticks, of: stream, through: known, taken: taken, newestBatchAt: newestAt, now: now)
        var insertion = UnsealedTicks.Insertion()
        try session.change(.forced) { state throws(SQLiteError) in
            insertion = UnsealedTicks.Insertion()
            try session.unsealed.insert(ticks.unsealed, &insertion)
            if let stream {
                let receipts = (scan.state?.owed.receipts ?? []) + (loss.missing.map { [$0] } ?? [])
                try takeReceipts(receipts, of: stream, known, newestAt: newestAt, into: &state)
            }
            for receipt in loss.receipts { state.owed.add(receipt) }
            if isOtherLifeLost { state.owed.add(SalvageLoss.ofFile(now)) }
            if var pending = scan.state?.pendingLoss {
                if let later = state.pendingLoss { pending.add(later) }
                state.pendingLoss = pending
            }
            state.damage?.stream = stream
            state.damage?.newestSequence = known == 0 ? nil : known
            state.damage?.salvagedTicks = Int64(ticks.unsealed.count)
            takeTask(into: &state)
        }
        session.unsealed.take(insertion)
    }

    /// Receipts that the damaged file owed, and the one for its missing batches, speak of its sequences, so they become batches of its stream that come
    /// after all others.
    private func takeReceipts(
        _ receipts: [EvictionReceipt], of old: StreamId, _ newest: Sequence64, newestAt: Int64?, into state: inout BufferState
    ) throws(SQLiteError) {
        var sequence = newest
        for receipt in receipts {
            sequence += 1
            let times = [receipt.to, receipt.from, now.wall, newestAt]
            guard let at = times.compactMap({ $0 }).first(where: TickTime.isPlausible) else {
                // Without any time nothing can be sealed yet: what it tells but the sequences, which are not this stream's, is told when there is one.
                state.owed.add(
                    EvictionReceipt(
                        receipt.action, cause: receipt.cause, resolution: receipt.resolution, ticks: receipt.ticks, samples: receipt.samples,
                        samplesLeft: receipt.samplesLeft))
                continue
            }
            let batch = Batch(
                kind: .event, priority: EvictionReceipt.priority, device: session.device, stream: state.stream, sequence: 1,
                origin: Batch.Origin(stream: old, sequence: sequence), sealedAt: at, payload: Array(receipt.json(at: at).utf8)[...])
            let new = NewBatch(batch: batch, samples: 0, ticks: 0, firstAt: at, lastAt: at, lastTick: 0)
            try session.seal(new, into: &state, isSent: true)
        }
    }

    /// The file may have been damaged while it took over an older one itself: then that is gone on with, and both are told of.
    private func takeTask(into state: inout BufferState) {
        state.salvage = nil
        guard let old = scan.state else { return }
        if let rest = old.salvage {
            // An old image of the state may not know that it was finished: what waited in the older file would be there twice.
            if isNewest(old) { state.salvage = rest } else { state.owed.add(SalvageLoss.ofFile(now)) }
        }
        guard var notice = old.damage else { return }
        if state.salvage == nil, var done = state.damage {
            done.add(notice)
            state.damage = done
        } else {
            // What is counted from now on is the older file's.
            if let done = state.damage { notice.add(done) }
            state.damage = notice
        }
    }

    private func isNewest(_ old: BufferState) -> Bool {
        max(mark?.newest ?? 0, scan.places.last?.sequence ?? 0) <= old.newest && max(mark?.sealedTick ?? 0, scan.sealedTick) <= old.sealedTick
    }

    private var newestBatchAt: Int64? { scan.places.last.flatMap { scan.batch(at: $0)?.lastAt } }
}
