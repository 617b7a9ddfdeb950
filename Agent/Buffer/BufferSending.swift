import LinuxDriver
import SQLiteDriver
import Telemetry

/// What the link asks of the buffer.
extension Buffer {
    /// Call this before a batch is published: notes durably that it may have left the device, so that it keeps its sequence from then on and is
    /// never thinned. With it the `markedAhead` older ones are marked, since a backlog goes from the newest to the oldest: one forced write
    /// for so many batches. False, at no cost, when it was marked already. True says that room may have been made for the mark: the batch may have
    /// been thinned or given up since it was fetched, and only what is there now may be sent.
    @discardableResult
    package func markSent(_ sequence: Sequence64) throws(BufferError) -> Bool {
        guard !session.state.sent.contains(sequence) else { return false }
        let first = sequence > BufferLimits.markedAhead ? sequence - BufferLimits.markedAhead : 1
        try makingRoom { () throws(SQLiteError) in
            try session.change(.forced) { state throws(SQLiteError) in state.sent.insert(first...sequence) }
        }
        return true
    }

    /// Whether a batch may have left the device, as far as the file knows.
    package func isMarkedSent(_ sequence: Sequence64) -> Bool { session.state.sent.contains(sequence) }

    /// The bytes of a batch, if it is still here and whole. A damaged one is dropped, with a receipt.
    package func batch(_ sequence: Sequence64) throws(BufferError) -> [UInt8]? {
        guard session.startOfForgotten(around: sequence) == nil else { return nil }
        let found = try reported { () throws(SQLiteError) in
            session.statements.selectExact.bind(1, Int64(clamping: sequence))
            return try session.first(of: session.statements.selectExact)
        }
        guard let found else { return nil }
        guard found.sequence == sequence else { throw BufferError(.damaged, path, "its batches are out of order") }
        return try wholeBytes(found)
    }

    /// The newest batch older than `sequence` that is still here.
    package func newestBatch(below sequence: Sequence64) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        try newestBatch(below: sequence, session.statements.selectBelow)
    }

    /// The same among batches of a priority: samples (10), or documents and events (20 and more), which need not wait behind them.
    package func newestBatch(below sequence: Sequence64, priority: UInt8) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        let isUrgent = priority > BatchKind.samples.priority
        return try newestBatch(below: sequence, isUrgent ? session.statements.selectUrgentBelow : session.statements.selectSamplesBelow)
    }

    private func newestBatch(below sequence: Sequence64, _ statement: Statement) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        var bound = sequence
        while true {
            let found = try reported { () throws(SQLiteError) in
                statement.bind(1, Int64(clamping: bound))
                return try session.first(of: statement)
            }
            guard let found else { return nil }
            // A damaged tree may lead anywhere, and SQLite does not look again.
            guard found.sequence > 0, found.sequence < bound else { throw BufferError(.damaged, path, "its batches are out of order") }
            if let start = session.startOfForgotten(around: found.sequence) {
                bound = start
                continue
            }
            if let bytes = try wholeBytes(found) { return (found.sequence, bytes) }
            bound = found.sequence
        }
    }

    /// The bytes of a batch as it goes out: of this device's present name, since the collector takes no other on its topic, and with its ticks
    /// moved by the step that the clock has made since it was sealed. Nil for one that is damaged: the collector could neither read nor answer it.
    private func wholeBytes(_ found: (sequence: Sequence64, bytes: [UInt8])) throws(BufferError) -> [UInt8]? {
        guard var batch = try? Batch(decoding: found.bytes) else {
            try dropDamaged(found.sequence)
            return nil
        }
        guard batch.sequence == found.sequence, batch.stream == stream else {
            throw BufferError(.damaged, path, "batch " + String(found.sequence) + " is in another one's place")
        }
        let step = session.state.eras.step(since: batch.sequence, sealedAt: batch.sealedAt, now: now)
        if batch.device == device, step == 0 { return found.bytes }
        batch.device = device
        return step == 0 ? batch.encoded() : (Self.moved(batch, by: step) ?? batch).encoded()
    }

    /// Nil where the ticks cannot be moved: an event tells its time in its text.
    private static func moved(_ batch: Batch, by step: Int64) -> Batch? {
        guard batch.kind == .samples, let block = try? Block(decoding: batch.payload) else { return nil }
        var ticks = block.ticks()
        for index in ticks.indices { ticks[index].at &+= step }
        let payload = Block(ticks).encoded()
        guard payload.count <= Batch.payloadBytesMax else { return nil }
        var moved = batch
        moved.sealedAt &+= step
        moved.payload = payload[...]
        return moved
    }

    /// Where no more receipts can be owed it stays, and is found again.
    private func dropDamaged(_ sequence: Sequence64) throws(BufferError) {
        guard session.canTell else { return }
        try makingRoom { () throws(SQLiteError) in
            let rows = try session.rows(sequence...sequence, limit: 1)
            try session.giveUp(rows, .damage)
        }
        session.damagedBatches += 1
    }

    /// Forgets what the collector is done with; how many batches of it were here. Acknowledgements of another stream are nobody's business here.
    @discardableResult
    package func forget(_ run: Acknowledgement.Run, of stream: StreamId) throws(BufferError) -> Int {
        guard stream == self.stream else { return 0 }
        return try reported { () throws(SQLiteError) in try session.forget(run.first...run.last) }
    }
}
