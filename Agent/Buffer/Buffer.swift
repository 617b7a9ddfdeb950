import LinuxDriver
import SQLiteDriver
import Telemetry

/// The device's only queue: ticks as they are taken, sealed into batches, kept until the collector has acknowledged them, in one bounded
/// SQLite file. Killing the agent loses nothing that was appended; a power cut loses at most what was not sealed.
package final class Buffer {
    package let path: String
    package let device: DeviceId
    package let limits: BufferLimits
    /// Ticks without a time, and batches damaged in the file, that were dropped since the buffer was opened: for the log and the status.
    package private(set) var unplaceableTicks = 0
    package private(set) var damagedBatches = 0
    /// Where a damaged file was put when this one was begun, if that happened.
    package let damagedFile: String?

    private let session: BufferSession
    private let lock: FileLock
    private let clock: Clock
    private let bootId: Int64

    /// Opens or makes the buffer. A damaged file is kept aside under another name and a new stream begun; only a file that cannot be opened at
    /// all, one that is in use, or one of a newer version is an error.
    package init(path: String, device: DeviceId, limits: BufferLimits = BufferLimits(), clock: Clock = .system) throws(BufferError) {
        self.path = path
        self.device = device
        self.limits = limits
        self.clock = clock
        bootId = BufferFile.currentBootId()
        lock = try BufferFile.lock(path)
        (session, damagedFile) = try BufferSession.openOrBegin(path, limits: limits, at: clock.wall())
    }

    /// This life of the buffer; a new file has a new one.
    package var stream: StreamId { session.stream }
    /// The highest sequence ever sealed; 0 before the first.
    package var newestSequence: Sequence64 { session.newest }
    /// Batches dropped to stay within the bound since the buffer was opened.
    package var evictedBatches: Int { session.evictedBatches }

    // MARK: Appending

    /// Takes a tick; it is in the file when this returns. On a full disk the oldest batches make room. When `pendingTicksMax` ticks wait
    /// already, the older half of them is thinned.
    package func append(_ tick: Tick) throws(BufferError) {
        let boot = clock.boot()
        try makingRoom { () throws(SQLiteError) in try session.unsealed.append(tick, boot: boot, bootId: bootId) }
    }

    package var unsealedTicks: Int { session.unsealed.ticks.count }
    package var unsealedSamples: Int { session.unsealed.samples }

    /// Whether the unsealed ticks are many or old enough to be sealed, and the clock is set.
    package var isSealDue: Bool {
        guard let first = session.unsealed.ticks.first, clock.wall() >= Clock.plausibleWallMin else { return false }
        if unsealedTicks >= min(limits.sealTicksMax, BufferLimits.pendingTicksMax) || unsealedSamples >= limits.sealSamplesMax { return true }
        return first.bootId != bootId || clock.boot() &- first.boot >= limits.sealAgeMax
    }

    /// Seals the unsealed ticks into a batch, or several if they do not fit one, and forces them to disk, with the receipt for those that were
    /// thinned out. The newest sequence, or nil when there is nothing to seal or no time to seal it under. When it throws, the ticks are still
    /// unsealed.
    /// `goingOut` says that the link is up and sends what is sealed at once: it is marked as sent in the same transaction.
    @discardableResult
    package func seal(goingOut: Bool) throws(BufferError) -> Sequence64? {
        let time = TickTime(wall: clock.wall(), boot: clock.boot(), bootId: bootId)
        let unsealed = session.unsealed
        guard !unsealed.ticks.isEmpty, time.wall >= Clock.plausibleWallMin else { return nil }
        let ticks = unsealed.ticks.compactMap(time.settled)
        let unplaceable = unsealed.ticks.count - ticks.count
        var payloads = BlockPacking.payloads(of: ticks[...])
        if let thinned = unsealed.thinned { payloads.append(.event(thinned.json(time))) }
        try write(payloads, sealedAt: time.wall, sealsTicks: true, goingOut: goingOut)
        unplaceableTicks += unplaceable
        guard !payloads.isEmpty else { return nil }
        try keepBound()
        return newestSequence
    }

    /// Seals a document or an event by itself, at once; `goingOut` as in `seal`. The newest sequence.
    @discardableResult
    package func append(_ kind: BatchKind, json: String, goingOut: Bool) throws(BufferError) -> Sequence64 {
        let payload = BatchPayload(kind: kind, bytes: Array(json.utf8), samples: 0)
        try write([payload], sealedAt: clock.wall(), sealsTicks: false, goingOut: goingOut)
        try keepBound()
        return newestSequence
    }

    private func write(_ payloads: [BatchPayload], sealedAt: Int64, sealsTicks: Bool, goingOut: Bool) throws(BufferError) {
        for payload in payloads where payload.bytes.count > Batch.payloadBytesMax {
            throw BufferError(.storage, path, "a payload of " + String(payload.bytes.count) + " bytes is larger than a batch may be")
        }
        try makingRoom { () throws(SQLiteError) in
            try session.write(payloads, device: device, sealedAt: sealedAt, sealsTicks: sealsTicks, goingOut: goingOut)
        }
    }

    // MARK: Sending

    /// Call this before a batch is published: notes durably that it may have left the device, so that it keeps its sequence from then on and is
    /// never thinned. With it the `markedAhead` older ones are marked, since a backlog goes from the newest to the oldest: one forced write
    /// for so many batches. Costs nothing when it is marked already.
    package func markSent(_ sequence: Sequence64) throws(BufferError) {
        guard !session.sent.contains(sequence) else { return }
        let first = sequence > BufferLimits.markedAhead ? sequence - BufferLimits.markedAhead : 1
        try makingRoom { () throws(SQLiteError) in try session.markSent(first...sequence) }
    }

    /// The newest batch of this priority that is older than `sequence`: documents and events (20) need not wait behind samples (10).
    package func newestBatch(below sequence: Sequence64, priority: UInt8) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        var bound = sequence
        while true {
            guard let found = try reported({ () throws(SQLiteError) in try session.newestBatch(below: bound, priority: priority) }) else {
                return nil
            }
            if let bytes = try wholeBytes(found) { return (found.sequence, bytes) }
            bound = found.sequence
        }
    }

    /// The bytes of a batch, if it is still here and whole. A damaged one is dropped, and an event takes its place.
    package func batch(_ sequence: Sequence64) throws(BufferError) -> [UInt8]? {
        guard let found = try reported({ () throws(SQLiteError) in try session.batch(sequence) }) else { return nil }
        return try wholeBytes(found)
    }

    /// The newest batch older than `sequence` that is still here.
    package func newestBatch(below sequence: Sequence64) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        var bound = sequence
        while true {
            guard let found = try reported({ () throws(SQLiteError) in try session.newestBatch(below: bound) }) else { return nil }
            if let bytes = try wholeBytes(found) { return (found.sequence, bytes) }
            bound = found.sequence
        }
    }

    /// The bytes of a batch read from the file, unless they are damaged: the collector could neither read nor answer those. A batch that was sealed
    /// when the device had another id goes out under the one it has now, since the collector takes no other on this device's topic.
    private func wholeBytes(_ found: (sequence: Sequence64, bytes: [UInt8])) throws(BufferError) -> [UInt8]? {
        if var batch = try? Batch(decoding: found.bytes), batch.sequence == found.sequence {
            if batch.device == device { return found.bytes }
            batch.device = device
            return batch.encoded()
        }
        try forget(Acknowledgement.Run(first: found.sequence), of: stream)
        damagedBatches += 1
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "damaged_batch")
            json.string("at", Timestamp.text(clock.wall()))
            json.integer("sequence", Int64(clamping: found.sequence))
        }
        try append(.event, json: writer.text, goingOut: false)
        return nil
    }

    /// Forgets what the collector is done with. Acknowledgements of another stream are nobody's business here.
    package func forget(_ run: Acknowledgement.Run, of stream: StreamId) throws(BufferError) {
        guard stream == self.stream else { return }
        try reported { () throws(SQLiteError) in try session.forget(run) }
    }

    // MARK: The bound

    /// Evicts when the file is nearly as large as it may be, and leaves a receipt for all that was evicted. What was sealed before stays sealed
    /// on a disk too full for this: the receipt is owed then.
    private func keepBound() throws(BufferError) {
        do throws(BufferError) {
            try reported { () throws(SQLiteError) in
                if try session.usedBytes() > limits.evictionBytes { try session.evict(downTo: limits.evictionFloorBytes) }
            }
            try leaveReceipt()
        } catch {
            guard error.reason == .full else { throw error }
        }
    }

    private func leaveReceipt() throws(BufferError) {
        let receipt = session.unreported
        guard receipt.batches > 0 else { return }
        let wall = clock.wall()
        // Making room for the receipt may evict more, which the next one tells.
        session.unreported = Eviction()
        do throws(BufferError) {
            try write([.event(receipt.json(at: wall))], sealedAt: wall, sealsTicks: false, goingOut: false)
        } catch {
            session.unreported.add(receipt)
            throw error
        }
    }

    /// Runs `work`; when there is no room for it, evicts some batches and runs it once more.
    private func makingRoom(_ work: () throws(SQLiteError) -> Void) throws(BufferError) {
        do throws(SQLiteError) { return try work() } catch {
            guard error.isFull else { throw BufferError(error, path) }
        }
        try reported { () throws(SQLiteError) in
            try session.evict(downTo: max(0, try session.usedBytes() - BufferLimits.journalBytes))
            try work()
        }
    }

    /// After an error that says `damaged`: has the file put aside when it is opened next, so that a new life begins. Whether that could be noted;
    /// the buffer is of no use until it is opened again.
    package func condemn() -> Bool { DamagedFiles.condemn(path) }

    /// What is in the buffer now.
    package func status() throws(BufferError) -> BufferStatus {
        try reported { () throws(SQLiteError) in try BufferStatus(session.database, path: path) }
    }

    /// Runs `work`, naming the file in what it throws.
    private func reported<Result>(_ work: () throws(SQLiteError) -> Result) throws(BufferError) -> Result {
        do throws(SQLiteError) { return try work() } catch { throw BufferError(error, path) }
    }
}
