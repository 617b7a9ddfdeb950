import LinuxDriver
import SQLiteDriver
import Telemetry

/// The device's only queue: ticks as they are taken, sealed into batches, kept until the collector has acknowledged them, in one bounded
/// SQLite file. Killing the agent loses nothing that was appended; a power cut loses at most what was not sealed.
package final class Buffer {
    package let path: String
    package let device: DeviceId
    /// This life of the buffer; a new file has a new one.
    package let stream: StreamId
    package let limits: BufferLimits
    /// The highest sequence ever sealed; 0 before the first.
    package private(set) var newestSequence: Sequence64
    /// What was lost since the buffer was opened, and why it was: for the log and the status.
    package private(set) var evictedBatches = 0
    package private(set) var unplaceableTicks = 0
    package private(set) var damagedBatches = 0
    /// Where a damaged file was put when this one was begun, if that happened.
    package let damagedFile: String?

    private let database: Database
    private let lock: FileLock
    private let clock: Clock
    private let bootId: Int64
    private var pending: [PendingTick] = []
    private var pendingSamples = 0
    private var seriesIds: [Series: Int64] = [:]

    private let insertTick: Statement
    private let insertSeries: Statement
    private let insertBatch: Statement
    private let deleteTicks: Statement
    private let selectExact: Statement
    private let selectBelow: Statement
    private let deleteRange: Statement
    private let selectOldest: Statement
    private let setNewest: Statement
    /// What was evicted to make room for a write, and has no receipt yet.
    private var unreported = Eviction()

    /// Opens or makes the buffer. A damaged file is kept aside under another name and a new stream begun; only a file that cannot be opened at
    /// all, one that is in use, or one of a newer version is an error.
    package init(path: String, device: DeviceId, limits: BufferLimits = BufferLimits(), clock: Clock = .system) throws(BufferError) {
        self.path = path
        self.device = device
        self.limits = limits
        self.clock = clock
        bootId = BufferFile.currentBootId()
        lock = try BufferFile.lock(path)
        (database, damagedFile) = try BufferFile.openOrBegin(path, limits: limits, at: clock.wall())
        do throws(SQLiteError) {
            stream = UInt64(bitPattern: try database.integer("SELECT value FROM meta WHERE key = 'stream'") ?? 0)
            newestSequence = UInt64(try database.integer("SELECT value FROM meta WHERE key = 'newest'") ?? 0)
            insertTick = try database.prepare("INSERT INTO ticks(at, boot, boot_id, readings) VALUES(?1, ?2, ?3, ?4)")
            insertSeries = try database.prepare("INSERT INTO series(key) VALUES(?1)")
            insertBatch = try database.prepare("INSERT INTO batches(sequence, priority, samples, sealed_at, bytes) VALUES(?1, ?2, ?3, ?4, ?5)")
            deleteTicks = try database.prepare("DELETE FROM ticks WHERE id <= ?1")
            selectExact = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence = ?1")
            selectBelow = try database.prepare("SELECT sequence, bytes FROM batches WHERE sequence < ?1 ORDER BY sequence DESC LIMIT 1")
            deleteRange = try database.prepare("DELETE FROM batches WHERE sequence BETWEEN ?1 AND ?2")
            selectOldest = try database.prepare(
                "SELECT sequence, samples, sealed_at FROM batches ORDER BY priority, sequence LIMIT " + String(Eviction.stepBatches))
            setNewest = try database.prepare("UPDATE meta SET value = ?1 WHERE key = 'newest'")
            try recover()
        } catch {
            throw BufferError(error, path)
        }
    }

    // MARK: Appending

    /// Takes a tick; it is in the file when this returns. On a full disk the oldest batches make room.
    package func append(_ tick: Tick) throws(BufferError) {
        let boot = clock.boot()
        var row: Int64 = 0
        try makingRoom { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                insertTick.bind(1, tick.at)
                insertTick.bind(2, boot)
                insertTick.bind(3, bootId)
                insertTick.bind(4, try rowBytes(of: tick.readings))
                try insertTick.run()
            }
            row = database.lastInsertedRow
        }
        pending.append(PendingTick(row: row, tick: tick, boot: boot, bootId: bootId))
        pendingSamples += tick.readings.count
    }

    package var unsealedTicks: Int { pending.count }
    package var unsealedSamples: Int { pendingSamples }

    /// Whether the unsealed ticks are many or old enough to be sealed, and the clock is set.
    package var isSealDue: Bool {
        guard let first = pending.first, clock.wall() >= Clock.plausibleWallMin else { return false }
        if pending.count >= limits.sealTicksMax || pendingSamples >= limits.sealSamplesMax { return true }
        return first.bootId != bootId || clock.boot() - first.boot >= limits.sealAgeMax
    }

    /// Seals the unsealed ticks into a batch, or several if they do not fit one, and forces them to disk. The newest sequence, or nil when there
    /// is nothing to seal or no time to seal it under.
    @discardableResult
    package func seal() throws(BufferError) -> Sequence64? {
        let wallNow = clock.wall()
        guard let last = pending.last, wallNow >= Clock.plausibleWallMin else { return nil }
        let bootNow = clock.boot()
        var ticks: [Tick] = []
        ticks.reserveCapacity(pending.count)
        for tick in pending {
            let settled = TickTime.settled(tick, bootId: bootId, wallNow: wallNow, bootNow: bootNow, plausibleMin: Clock.plausibleWallMin)
            if let settled { ticks.append(settled) } else { unplaceableTicks += 1 }
        }
        if ticks.isEmpty {
            try makingRoom { () throws(SQLiteError) in try forgetTicks(through: last.row) }
        } else {
            try write(BlockPacking.blocks(of: ticks), kind: .samples, sealedAt: wallNow, throughTick: last.row)
        }
        pending.removeAll(keepingCapacity: true)
        pendingSamples = 0
        guard !ticks.isEmpty else { return nil }
        let sealed = newestSequence
        try keepBound()
        return sealed
    }

    /// Seals a document or an event by itself, at once.
    @discardableResult
    package func append(_ kind: BatchKind, json: String) throws(BufferError) -> Sequence64 {
        try write([(Array(json.utf8), 0)], kind: kind, sealedAt: clock.wall(), throughTick: nil)
        let sealed = newestSequence
        try keepBound()
        return sealed
    }

    /// One transaction, forced to disk: the batches, their sequences, and the end of the ticks that they hold.
    private func write(_ payloads: [(bytes: [UInt8], samples: Int)], kind: BatchKind, sealedAt: Int64, throughTick row: Int64?) throws(BufferError) {
        for payload in payloads where payload.bytes.count > Batch.payloadBytesMax {
            throw BufferError(.storage, path, "a payload of " + String(payload.bytes.count) + " bytes is larger than a batch may be")
        }
        try makingRoom { () throws(SQLiteError) in
            // "The synchronous setting can only be changed outside of a transaction."
            try database.execute("PRAGMA synchronous = FULL")
            defer { try? database.execute("PRAGMA synchronous = NORMAL") }
            try database.transaction { () throws(SQLiteError) in
                var sequence = newestSequence
                for payload in payloads {
                    sequence += 1
                    let batch = Batch(kind: kind, device: device, stream: stream, sequence: sequence, sealedAt: sealedAt, payload: payload.bytes[...])
                    insertBatch.bind(1, Int64(sequence))
                    insertBatch.bind(2, Int64(batch.priority))
                    insertBatch.bind(3, Int64(payload.samples))
                    insertBatch.bind(4, sealedAt)
                    insertBatch.bind(5, batch.encoded())
                    try insertBatch.run()
                }
                setNewest.bind(1, Int64(sequence))
                try setNewest.run()
                if let row { try forgetTicks(through: row) }
            }
        }
        newestSequence += UInt64(payloads.count)
    }

    private func forgetTicks(through row: Int64) throws(SQLiteError) {
        deleteTicks.bind(1, row)
        try deleteTicks.run()
    }

    // MARK: Sending

    /// The bytes of a batch, if it is still here and whole. A damaged one is dropped, and an event takes its place.
    package func batch(_ sequence: Sequence64) throws(BufferError) -> [UInt8]? {
        selectExact.bind(1, Int64(clamping: sequence))
        guard let found = try first(of: selectExact), try isWhole(found) else { return nil }
        return found.bytes
    }

    /// The newest batch older than `sequence` that is still here.
    package func newestBatch(below sequence: Sequence64) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        var bound = sequence
        while true {
            selectBelow.bind(1, Int64(clamping: bound))
            guard let found = try first(of: selectBelow) else { return nil }
            if try isWhole(found) { return found }
            bound = found.sequence
        }
    }

    /// Checks a batch read from the file, which the collector could neither read nor answer if it were damaged.
    private func isWhole(_ found: (sequence: Sequence64, bytes: [UInt8])) throws(BufferError) -> Bool {
        if let batch = try? Batch(decoding: found.bytes), batch.sequence == found.sequence { return true }
        try forget(Acknowledgement.Run(first: found.sequence), of: stream)
        damagedBatches += 1
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "damaged_batch")
            json.string("at", Timestamp.text(clock.wall()))
            json.integer("sequence", Int64(clamping: found.sequence))
        }
        try append(.event, json: writer.text)
        return false
    }

    private func first(of statement: Statement) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        try reported { () throws(SQLiteError) in
            guard try statement.step() else { return nil }
            let row = (sequence: UInt64(statement.integer(0)), bytes: statement.bytes(1))
            statement.reset()
            return row
        }
    }

    /// Forgets what the collector is done with. Acknowledgements of another stream are nobody's business here.
    package func forget(_ run: Acknowledgement.Run, of stream: StreamId) throws(BufferError) {
        guard stream == self.stream else { return }
        try reported { () throws(SQLiteError) in
            deleteRange.bind(1, Int64(clamping: run.first))
            deleteRange.bind(2, Int64(clamping: run.last))
            try deleteRange.run()
        }
    }

    // MARK: The bound

    /// Evicts when the file is nearly as large as it may be, and leaves a receipt as an event.
    private func keepBound() throws(BufferError) {
        guard try reported({ () throws(SQLiteError) in try usedBytes() }) > limits.evictionBytes else { return }
        let eviction = try reported { () throws(SQLiteError) in try evict(downTo: limits.evictionFloorBytes) }
        try leaveReceipt(eviction)
    }

    /// Runs `work`; when there is no room for it, evicts some batches and runs it once more.
    private func makingRoom(_ work: () throws(SQLiteError) -> Void) throws(BufferError) {
        do throws(SQLiteError) { return try work() } catch {
            guard error.isFull else { throw BufferError(error, path) }
        }
        try reported { () throws(SQLiteError) in
            unreported.add(try evict(downTo: max(0, try usedBytes() - BufferLimits.journalBytes)))
            try work()
        }
    }

    private func leaveReceipt(_ eviction: Eviction) throws(BufferError) {
        var eviction = eviction
        eviction.add(unreported)
        guard eviction.batches > 0 else { return }
        unreported = Eviction()
        evictedBatches += eviction.batches
        try write([(Array(eviction.json(at: clock.wall()).utf8), 0)], kind: .event, sealedAt: clock.wall(), throughTick: nil)
    }

    /// Drops the oldest batches of the lowest priority until at most `bytes` of pages are in use.
    private func evict(downTo bytes: Int64) throws(SQLiteError) -> Eviction {
        var eviction = Eviction()
        while try usedBytes() > bytes {
            let before = eviction.batches
            try database.transaction { () throws(SQLiteError) in
                while try selectOldest.step() {
                    eviction.add(sequence: UInt64(selectOldest.integer(0)), samples: selectOldest.integer(1), sealedAt: selectOldest.integer(2))
                    deleteRange.bind(1, selectOldest.integer(0))
                    deleteRange.bind(2, selectOldest.integer(0))
                    try deleteRange.run()
                }
            }
            if eviction.batches == before { break }
        }
        return eviction
    }

    private func usedBytes() throws(SQLiteError) -> Int64 {
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        return (pages - free) * BufferFile.pageBytes
    }

    /// What is in the buffer now.
    package func status() throws(BufferError) -> BufferStatus {
        try reported { () throws(SQLiteError) in try BufferStatus(database, path: path) }
    }

    /// Runs `work`, naming the file in what it throws.
    private func reported<Result>(_ work: () throws(SQLiteError) -> Result) throws(BufferError) -> Result {
        do throws(SQLiteError) { return try work() } catch { throw BufferError(error, path) }
    }

    // MARK: Series of unsealed ticks

    /// A tick's readings as its row's bytes; series not seen before get a row of their own.
    private func rowBytes(of readings: [Reading]) throws(SQLiteError) -> [UInt8] {
        for reading in readings where seriesIds[reading.series] == nil && seriesIds.count < BufferFile.seriesMax {
            insertSeries.bind(1, SeriesKey.bytes(of: reading.series))
            try insertSeries.run()
            seriesIds[reading.series] = database.lastInsertedRow
        }
        return TickRow.encode(readings) { seriesIds[$0] }
    }

    /// Takes up the ticks that an earlier run did not seal.
    private func recover() throws(SQLiteError) {
        var series: [Int64: Series] = [:]
        let rows = try database.prepare("SELECT id, key FROM series")
        while try rows.step() {
            guard let one = try? SeriesKey.series(rows.bytes(1)) else { continue }
            series[rows.integer(0)] = one
            seriesIds[one] = rows.integer(0)
        }
        let ticks = try database.prepare("SELECT id, at, boot, boot_id, readings FROM ticks ORDER BY id LIMIT " + String(Block.ticksMax))
        while try ticks.step() {
            let readings = TickRow.decode(ticks.bytes(4)) { series[$0] }
            let tick = Tick(at: ticks.integer(1), readings: readings)
            pending.append(PendingTick(row: ticks.integer(0), tick: tick, boot: ticks.integer(2), bootId: ticks.integer(3)))
            pendingSamples += readings.count
        }
    }
}
