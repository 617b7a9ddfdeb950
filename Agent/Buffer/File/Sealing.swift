import SQLiteDriver
import Telemetry

/// Sealing: each of these is one transaction, forced to disk.
extension BufferSession {
    /// Seals a group of ticks, deletes the rows up to `through`, and notes what was given up on the way; with no group it only does the latter.
    func seal(
        _ group: BlockPacking.Group?, through: Int64, giving loss: PendingLoss, now: TickTime, _ earlier: BootOffsets, goingOut: Bool
    ) throws(SQLiteError) {
        try change(.forced) { state throws(SQLiteError) in
            // First the deletions: their pages are what a full file has for the batches.
            try unsealed.deleteRows(through: through)
            try deleteForgotten(from: &state)
            state.sealedTick = max(state.sealedTick, through)
            if loss.ticks > 0 { state.owed.add(loss.receipt(now, earlier)) }
            if let pending = state.pendingLoss {
                state.owed.add(pending.receipt(now, earlier))
                state.pendingLoss = nil
            }
            guard let group else { return }
            state.eras.note(state.newest + 1, now)
            var times: (first: Int64, last: Int64) = (.max, .min)
            for tick in group.ticks { times = (min(times.first, tick.at), max(times.last, tick.at)) }
            for payload in group.payloads {
                let new = NewBatch(
                    batch: batch(.samples, priority: BatchKind.samples.priority, payload.bytes, now), samples: Int64(payload.samples),
                    ticks: Int64(group.ticks.count), firstAt: times.first, lastAt: times.last, lastTick: through)
                try seal(new, into: &state, isSent: goingOut)
            }
        }
        unsealed.forget(through: through)
        forgotten.removeAll(keepingCapacity: true)
    }

    /// Seals a document or an event.
    func seal(_ kind: BatchKind, _ json: String, now: TickTime, goingOut: Bool) throws(SQLiteError) {
        try change(.forced) { state throws(SQLiteError) in
            try deleteForgotten(from: &state)
            try seal(kind, priority: kind.priority, json, now, into: &state, goingOut: goingOut)
        }
        forgotten.removeAll(keepingCapacity: true)
    }

    /// Seals the event of a damaged file.
    func sealDamage(now: TickTime, goingOut: Bool) throws(SQLiteError) {
        try change(.forced) { state throws(SQLiteError) in
            guard let notice = state.damage else { return }
            for notice in notice.all {
                try seal(.event, priority: EvictionReceipt.priority, notice.json(at: now.wall), now, into: &state, goingOut: goingOut)
            }
            state.damage = nil
        }
    }

    /// Seals some of the receipts that are owed.
    func sealReceipts(now: TickTime, goingOut: Bool) throws(SQLiteError) {
        try change(.forced) { state throws(SQLiteError) in
            for receipt in state.owed.take(BufferLimits.receiptsAtOnce) {
                try seal(.event, priority: EvictionReceipt.priority, receipt.json(at: now.wall), now, into: &state, goingOut: goingOut)
            }
        }
    }

    private func seal(
        _ kind: BatchKind, priority: UInt8, _ json: String, _ now: TickTime, into state: inout BufferState, goingOut: Bool
    ) throws(SQLiteError) {
        state.eras.note(state.newest + 1, now)
        let new = NewBatch(
            batch: batch(kind, priority: priority, Array(json.utf8), now), samples: 0, ticks: 0, firstAt: now.wall, lastAt: now.wall, lastTick: 0)
        try seal(new, into: &state, isSent: goingOut)
    }

    /// A batch of this stream, whose sequence is given out when it is written.
    private func batch(_ kind: BatchKind, priority: UInt8, _ payload: [UInt8], _ now: TickTime) -> Batch {
        Batch(kind: kind, priority: priority, device: device, stream: state.stream, sequence: 1, sealedAt: now.wall, payload: payload[...])
    }
}
