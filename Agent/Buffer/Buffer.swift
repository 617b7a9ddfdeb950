import LinuxDriver
import SQLiteDriver
import Telemetry

/// The device's only queue: ticks as they are taken, sealed into batches, kept until the collector has acknowledged them, in one bounded
/// SQLite file. Killing the agent loses nothing that was appended; a power cut loses at most what was not sealed.
package final class Buffer {
    package let path: String
    package let device: DeviceId
    package let limits: BufferLimits
    /// Ticks whose time nobody can know, that were given up since the buffer was opened: for the log and the status.
    package private(set) var unplaceableTicks = 0
    /// What happened to the file that was here before, if it was damaged: for the log. The event is the buffer's own affair.
    package let damage: DamageNotice?
    /// Why the buffer is in memory and will be lost with the process; nil for one on the disk.
    package let memoryReason: String?

    let session: BufferSession
    let clock: Clock
    let bootId: Int64
    /// Whether room is being made, step by step.
    var isUnderPressure = false

    /// Opens or makes the buffer. A damaged file is kept aside and what can be read of it is taken over into a new stream. When the disk is of no
    /// use, the buffer is in memory. Only a file that another process uses, one of a newer version, and a path that must not be written are errors.
    package init(
        path: String, device: DeviceId, limits: BufferLimits = BufferLimits(), clock: Clock = .system, bootId: Int64 = Buffer.currentBootId
    ) throws(BufferError) {
        let now = TickTime(wall: clock.wall(), boot: clock.boot(), bootId: bootId)
        let opened = try BufferOpening.open(path, limits, device: device, now: now)
        self.path = path
        self.device = device
        self.limits = opened.session.limits
        self.clock = clock
        self.bootId = bootId
        session = opened.session
        damage = opened.damage
        memoryReason = opened.memoryReason
    }

    /// What tells ticks of this boot from those of an earlier one, from the kernel's boot id.
    package static var currentBootId: Int64 { BufferFile.currentBootId() }

    /// This life of the buffer; a new file has a new one.
    package var stream: StreamId { session.state.stream }
    /// The highest sequence ever sealed; 0 before the first.
    package var newestSequence: Sequence64 { session.state.newest }
    /// Batches dropped to stay within the bound since the buffer was opened, those that were thinned, and those that were found damaged.
    package var evictedBatches: Int { session.evictedBatches }
    package var thinnedBatches: Int { session.thinnedBatches }
    package var damagedBatches: Int { session.damagedBatches }
    /// Samples of batches that were given up or thinned away, and of ticks that waited too long, since the buffer was opened.
    package var samplesGivenUp: Int64 { session.samplesGivenUp }

    /// Pages that were read from the file since it was opened: what opening and looking cost.
    package var pagesRead: Int { session.database.pagesRead }

    var now: TickTime { TickTime(wall: clock.wall(), boot: clock.boot(), bootId: bootId) }

    // MARK: Appending

    /// Takes a tick; it is in the file when this returns, and nowhere when it throws. On a full disk the oldest batches make room. When too many
    /// ticks wait already, the older half of them is thinned.
    package func append(_ tick: Tick) throws(BufferError) {
        // No room can be made for such a one: it is the caller's to tell of, and nothing is given up for it.
        guard !session.unsealed.isTooLarge(tick.readings.count) else {
            throw BufferError(.storage, path, "a tick of " + String(tick.readings.count) + " readings is more than may wait unsealed")
        }
        try sealManyOwed(now)
        let boot = clock.boot()
        try makingRoom { () throws(SQLiteError) in try session.append(tick, boot: boot, bootId: bootId) }
        // The tick is in: whatever keeps room from being made, the next seal meets it too, and says so.
        try? relieve(steps: BufferLimits.tickSteps)
    }

    package var unsealedTicks: Int { session.unsealed.ticks.count }
    package var unsealedSamples: Int { session.unsealed.samples }

    /// Whether the unsealed ticks are many or old enough to be sealed, and the clock is set.
    package var isSealDue: Bool {
        guard let sealDueIn, now.isSet else { return false }
        if unsealedTicks >= min(limits.sealTicksMax, BufferLimits.pendingTicksMax) || unsealedSamples >= limits.sealSamplesMax { return true }
        return sealDueIn == 0
    }

    /// In how many milliseconds the oldest unsealed tick will be old enough; nil when there is none.
    package var sealDueIn: Int64? {
        guard let first = session.unsealed.ticks.first else { return nil }
        guard first.bootId == bootId else { return 0 }
        // What a row says may be any number.
        return limits.sealAgeMax - min(max(0, clock.boot() &- first.boot), limits.sealAgeMax)
    }

    /// Seals the unsealed ticks into a batch, or several if they do not fit one, each forced to disk, and writes the event of a damaged file.
    /// `goingOut` says that the link is up and sends what is sealed at once: it is marked as sent in the same transaction, and receipts that are
    /// owed are sealed too. The newest sequence, or nil when there is nothing to seal or no time to seal it under. When it throws, the ticks that are not
    /// in a batch are still unsealed.
    @discardableResult
    package func seal(goingOut: Bool) throws(BufferError) -> Sequence64? {
        let now = now
        guard now.isSet else { return nil }
        let before = newestSequence
        try sealManyOwed(now)
        try sealTicks(now, goingOut: goingOut)
        try sealOwed(now, goingOut: goingOut)
        guard newestSequence > before else { return nil }
        try keepBound(goingOut: goingOut)
        return newestSequence
    }

    private func sealTicks(_ now: TickTime, goingOut: Bool) throws(BufferError) {
        let pending = session.unsealed.ticks
        guard let last = pending.last else { return }
        let earlier = BootOffsets(pending)
        var ticks: [Tick] = []
        var rows: [Int64] = []
        var unplaceable: [PendingTick] = []
        for tick in pending {
            guard let settled = now.settled(tick, earlier) else {
                unplaceable.append(tick)
                continue
            }
            ticks.append(settled)
            rows.append(tick.row)
        }
        var left = unplaceable[...]
        func seal(_ group: BlockPacking.Group?, through: Int64) throws(BufferError) {
            // Their rows go with this group: who told of more would tell of it again when the next one fails.
            let given = left.prefix { $0.row <= through }
            var loss = PendingLoss()
            for tick in given { loss.add(tick) }
            try makingRoom { () throws(SQLiteError) in
                try session.seal(group, through: through, giving: loss, now: now, earlier, goingOut: goingOut)
            }
            left = left[given.endIndex...]
            unplaceableTicks += given.count
        }
        let groups = BlockPacking.groups(of: ticks[...])
        for group in groups.dropLast() { try seal(group, through: rows[group.ticks.endIndex - 1]) }
        try seal(groups.last, through: last.row)
    }

    /// Seals a document or an event by itself, at once; `goingOut` as in `seal`. The newest sequence. While the clock is not set there is no
    /// time to seal it under: that is an error.
    @discardableResult
    package func append(_ kind: BatchKind, json: String, goingOut: Bool) throws(BufferError) -> Sequence64 {
        let now = now
        guard now.isSet else { throw BufferError(.clockNotSet, path, "nothing can be sealed before the clock is set") }
        guard json.utf8.count <= Batch.payloadBytesMax else {
            throw BufferError(.storage, path, "a payload of " + String(json.utf8.count) + " bytes is larger than a batch may be")
        }
        try sealManyOwed(now)
        try makingRoom { () throws(SQLiteError) in try session.seal(kind, json, now: now, goingOut: goingOut) }
        try keepBound(goingOut: goingOut)
        return newestSequence
    }

    // MARK: For the owner

    /// After an error that says `damaged`: has the file put aside when it is opened next, so that a new life begins. Whether that could be noted;
    /// the buffer is of no use until it is opened again.
    package func condemn() -> Bool { memoryReason == nil && DamagedFiles.condemn(path) }

    /// What is in the buffer now; costs the same however much that is.
    package func status() throws(BufferError) -> BufferStatus {
        try reported { () throws(SQLiteError) in
            try session.deleteForgotten()
            return try BufferStatus(
                session.database, session.state, path: path, limits: limits, unsealed: (Int64(unsealedTicks), Int64(unsealedSamples)))
        }
    }

    /// Runs `work`, naming the file in what it throws.
    func reported<Result>(_ work: () throws(SQLiteError) -> Result) throws(BufferError) -> Result {
        do throws(SQLiteError) { return try work() } catch { throw BufferError(error, path) }
    }
}
