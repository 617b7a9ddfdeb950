import LinuxDriver
import SQLiteDriver
import Telemetry

/// One opened buffer file and all that is read from it at opening: it is there as a whole, or the file is damaged. What it does to the file
/// it does in one transaction each; when to do what is the buffer's affair.
final class BufferSession {
    /// Whether a change is forced to disk when it is done.
    enum Durability { case forced, written }

    private(set) var state: BufferState
    let unsealed: UnsealedTicks
    let database: Database
    let statements: BufferStatements
    let limits: BufferLimits
    let device: DeviceId
    /// Acknowledged and not deleted yet.
    var forgotten: [ClosedRange<Sequence64>] = []
    /// Room on the disk for bad times; nil for a buffer in memory.
    let reserve: DiskReserve?
    /// Batches given up, and batches made coarser, since the file was opened.
    var evictedBatches = 0
    var thinnedBatches = 0
    var samplesGivenUp: Int64 = 0
    /// Whether room is being made for receipts, which may bring new ones.
    var isSealingReceipts = false
    /// Below this there are no samples, as far as was seen.
    var samplesFrom: Sequence64 = 0
    /// Ticks and samples that were found damaged at opening or in use.
    var damagedBatches = 0

    /// Ticks that found no room.
    var unwritten: UnwrittenTicks

    private(set) var isFrozen = false
    private let lock: FileLock?
    private let bootId: Int64
    private let journalPath: String?
    /// Which file it is that was opened; nil in memory.
    private let place: FileIdentity.Place?
    /// There was no log when the file was opened, and nothing was written since.
    private var hasNoLog: Bool
    /// What the log may grow by before it is to be looked at again. Bytes.
    private var journalRoom: Int64 = 0

    /// SQLite's code for "no such table" and the like: in a file with our version number, damage.
    private static let missingTableCode: Int32 = 1
    private static let fullCode: Int32 = 13
    /// A few pages that a tick may change beside its own.
    private static let journalBytesLeast: Int64 = 8 * BufferFile.pageBytes

    /// Opens a file, or with no lock a database in memory.
    init(_ path: String, _ limits: BufferLimits, device: DeviceId, lock: FileLock?, now: TickTime) throws(BufferError) {
        let mark = lock.flatMap(SealMark.init(in:))
        let isFollowing = lock == nil || SettingAside.isUnderWay(path)
        if !isFollowing, SealMark.isFileGone(path, mark) { throw BufferError(.damaged, path, "the file is gone or empty, and had content") }
        if let mark, mark.bootId == now.bootId, JournalCheck.isDamaged(path) { throw BufferError(.damaged, path, "its log is damaged") }
        self.limits = limits
        self.device = device
        self.lock = lock
        bootId = now.bootId
        journalPath = lock == nil ? nil : path + "-wal"
        hasNoLog = lock != nil && !SmallFile.exists(path + "-wal")
        database = try BufferFile.open(path, limits: limits)
        place = lock == nil ? nil : (try? FileIdentity.of(path))?.place
        do throws(SQLiteError) {
            statements = try BufferStatements(database)
            guard let state = try Self.readState(statements) else { throw Self.damage("its state is missing or damaged") }
            self.state = state
            let first = try database.integer("SELECT min(sequence) FROM batches") ?? 1
            let last = try database.integer("SELECT max(sequence) FROM batches") ?? 0
            guard first >= 1, last <= Int64(state.newest) else { throw Self.damage("it holds sequences that were never given out") }
            if let mark, mark.stream == state.stream, mark.newest > state.newest {
                throw Self.damage("it ends at sequence " + String(state.newest) + ", but had sealed " + String(mark.newest))
            }
            if !isFollowing, let mark, mark.isOfAnother(state, bootId: now.bootId) { throw Self.damage("it is not the one that was in use here") }
        } catch {
            throw error.code == Self.missingTableCode ? BufferError(.damaged, path, error.description) : BufferError(error, path)
        }
        // What a power cut tore is gone from the log before `JournalCheck` may look at it.
        if lock != nil, !hasNoLog, mark?.bootId != now.bootId {
            do throws(SQLiteError) { _ = try database.emptyJournal() } catch { guard error.isFull else { throw BufferError(error, path) } }
        }
        unwritten = UnwrittenTicks(lock, told: state.unwrittenTold)
        unsealed = UnsealedTicks(database, statements, limits, after: state.sealedTick)
        reserve = lock == nil ? nil : DiskReserve(path, bytes: limits.reserveBytes)
        do throws(SQLiteError) { try recover(now) } catch { throw BufferError(error, path) }
        if let lock, state.salvage == nil { SealMark(state, bootId: bootId).write(to: lock) }
    }

    private static func readState(_ statements: BufferStatements) throws(SQLiteError) -> BufferState? {
        guard try statements.selectState.step() else { return nil }
        defer { statements.selectState.reset() }
        return BufferState(decoding: statements.selectState.bytes(0))
    }

    /// SQLITE_CORRUPT, said by us.
    static func damage(_ detail: String) -> SQLiteError { SQLiteError(code: 11, operation: "use the buffer", detail: detail) }

    private func recover(_ now: TickTime) throws(SQLiteError) {
        let damage = try unsealed.recover { () throws(SQLiteError) in try giveUpSurplus() }
        guard !damage.isNone else { return }
        try change(.written) { state throws(SQLiteError) in
            try unsealed.delete(damage)
            guard !damage.isNothingLost else { return }
            state.owed.add(
                EvictionReceipt(
                    .dropped, cause: .damage, from: damage.from, to: now.isSet ? now.wall : nil, ticks: Int64(damage.rows.count),
                    samples: Int64(damage.readings)))
        }
    }

    // MARK: Changing

    /// One transaction: `work` on the file and on the state, both or neither.
    func change(_ durability: Durability, _ work: (inout BufferState) throws(SQLiteError) -> Void) throws(SQLiteError) {
        try checkJournal()
        hasNoLog = false
        if durability == .forced { try checkPlace() }
        // "The synchronous setting can only be changed outside of a transaction."
        if durability == .forced { try database.execute("PRAGMA synchronous = FULL") }
        defer { if durability == .forced { try? database.execute("PRAGMA synchronous = NORMAL") } }
        var next = state
        try database.transaction { () throws(SQLiteError) in
            try work(&next)
            statements.updateState.bind(1, next.encoded())
            try statements.updateState.run()
        }
        let hasSealed = next.newest > state.newest || next.sealedTick > state.sealedTick || state.salvage != nil
        state = next
        if durability == .forced, hasSealed, state.salvage == nil, let lock { SealMark(state, bootId: bootId).write(to: lock) }
    }

    /// Notes, for the next change to write, that there is nothing left to thin up to a sequence.
    func advance(through sequence: Sequence64, _ resolution: Int) { advance(&state, through: sequence, resolution) }

    func advance(_ state: inout BufferState, through sequence: Sequence64, _ resolution: Int) {
        if resolution == Pressure.minute {
            state.minutesThrough = max(state.minutesThrough, sequence)
        } else {
            state.coarseThrough = max(state.coarseThrough, sequence)
        }
    }

    /// A log that another connection's long reading keeps from being emptied does not grow beyond its bound: writing waits, as on a full disk.
    /// It is looked at when so many bytes of rows more, with the pages around them, could bring it there.
    func checkJournal(adding bytes: Int64 = BufferLimits.journalBytesMax) throws(SQLiteError) {
        journalRoom -= 2 * bytes + Self.journalBytesLeast
        guard journalRoom < 0, let journalPath, let size = (try? FileIdentity.of(journalPath))?.size else { return }
        journalRoom = BufferLimits.journalBytesMax - size
        guard journalRoom < 0, try !database.emptyJournal() else { return }
        throw SQLiteError(code: Self.fullCode, operation: "write", detail: "another process reads the buffer and holds up its log")
    }

    /// A file that was removed, or that another one took the place of, can be written for as long as it is open, and is gone then.
    private func checkPlace() throws(SQLiteError) {
        guard let place else { return }
        do throws(SystemError) {
            guard try FileIdentity.of(database.path).place != place else { return }
        } catch { guard error.isMissing else { return } }
        throw Self.damage("its file was removed or replaced while it was in use")
    }

    // MARK: Ticks

    /// Takes a tick that is not too large; it is in the file when this returns. When too many wait already, some of the older go.
    func append(_ tick: Tick, boot: Int64, bootId: Int64) throws(SQLiteError) {
        while unsealed.isFull(for: tick.readings.count), !unsealed.ticks.isEmpty { try giveUpSurplus() }
        try checkJournal(adding: UnsealedTicks.bytes(of: tick.readings.count))
        try beginningLog { () throws(SQLiteError) in try unsealed.append(tick, boot: boot, bootId: bootId) }
    }

    /// SQLite forces a log's first bytes to disk, since behind those of a log before it another's rows would be taken for its own. Where there was none
    /// they may come with the first seal: what a power cut leaves of them is a beginning of this log, or nothing.
    private func beginningLog(_ work: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        guard hasNoLog else { return try work() }
        hasNoLog = false
        try database.execute("PRAGMA synchronous = OFF")
        defer { try? database.execute("PRAGMA synchronous = NORMAL") }
        try work()
    }

    private func giveUpSurplus() throws(SQLiteError) {
        let surplus = unsealed.surplus
        try change(.written) { state throws(SQLiteError) in
            try unsealed.deleteRows(of: surplus)
            var loss = state.pendingLoss ?? PendingLoss()
            for tick in surplus { loss.add(tick) }
            state.pendingLoss = loss
        }
        samplesGivenUp += surplus.reduce(0) { $0 + Int64($1.tick.readings.count) }
        unsealed.forget(surplus)
    }

    // MARK: Batches

    /// Writes a batch under the next sequence, as part of a change.
    func seal(_ new: NewBatch, into state: inout BufferState, isSent: Bool) throws(SQLiteError) {
        var batch = new.batch
        batch.sequence = state.newest + batch.span
        if isSent { state.sent.insert(batch.firstSequence...batch.sequence) }
        state.newest = batch.sequence
        try insert(batch, new, into: &state)
    }

    /// Writes a batch under the sequence that it has, as part of a change.
    func insert(_ batch: Batch, _ new: NewBatch, into state: inout BufferState) throws(SQLiteError) {
        let bytes = batch.encoded()
        let row = BatchRow(
            sequence: batch.sequence, priority: batch.priority, resolution: batch.resolution, span: batch.span, samples: new.samples,
            ticks: new.ticks, firstAt: new.firstAt, lastAt: new.lastAt, lastTick: new.lastTick, bytes: Int64(bytes.count))
        let columns: [Int64] = [
            Int64(row.sequence), Int64(row.priority), Int64(row.resolution), Int64(row.span), row.samples, row.ticks, row.firstAt, row.lastAt,
            row.lastTick,
        ]
        for (index, number) in columns.enumerated() { statements.insertBatch.bind(Int32(index + 1), number) }
        statements.insertBatch.bind(10, bytes)
        try statements.insertBatch.run()
        state.holdings.add(row)
    }

    /// Deletes batches as part of a change.
    func delete(_ rows: [BatchRow], from state: inout BufferState) throws(SQLiteError) {
        for row in rows {
            statements.deleteRange.bind(1, Int64(row.sequence))
            statements.deleteRange.bind(2, Int64(row.sequence))
            try statements.deleteRange.run()
            state.holdings.remove(row)
        }
    }

    /// The rows of a range of sequences, the oldest first.
    func rows(_ sequences: ClosedRange<Sequence64>, limit: Int) throws(SQLiteError) -> [BatchRow] {
        let found = try rows(statements.selectRows, Int64(clamping: sequences.lowerBound), Int64(clamping: sequences.upperBound), limit)
        guard found.allSatisfy({ sequences.contains($0.sequence) }) else { throw Self.damage("its batches are out of order") }
        return found
    }

    /// The oldest documents and events of these priorities.
    func urgentRows(_ priorities: ClosedRange<UInt8>, limit: Int) throws(SQLiteError) -> [BatchRow] {
        try rows(statements.selectUrgentRows, Int64(priorities.lowerBound), Int64(priorities.upperBound), limit)
    }

    /// The row as far as it can be true: what it stands for begins behind the batch before it. Nothing but the row says so, and a receipt must
    /// not close what is still here.
    func bounded(_ row: BatchRow) throws(SQLiteError) -> BatchRow {
        statements.selectSequenceBelow.bind(1, Int64(row.sequence))
        let before = try statements.selectSequenceBelow.step() ? statements.selectSequenceBelow.integer(0) : 0
        statements.selectSequenceBelow.reset()
        var bounded = row
        bounded.span = min(row.span, row.sequence - min(UInt64(clamping: before), row.sequence - 1))
        return bounded
    }

    private func rows(_ statement: Statement, _ lower: Int64, _ upper: Int64, _ limit: Int) throws(SQLiteError) -> [BatchRow] {
        statement.bind(1, lower)
        statement.bind(2, upper)
        statement.bind(3, Int64(limit))
        var rows: [BatchRow] = []
        while try statement.step() {
            let numbers = (0..<10).map { statement.integer(Int32($0)) }
            // A damaged tree may lead anywhere, and SQLite does not look again.
            guard let row = BatchRow(numbers), row.sequence <= state.newest, row.sequence > rows.last?.sequence ?? 0 else {
                statement.reset()
                throw Self.damage("its batches are out of order")
            }
            rows.append(row)
        }
        return rows
    }

    /// The sequence and the bytes of a statement's first row.
    func first(of statement: Statement) throws(SQLiteError) -> (sequence: Sequence64, bytes: [UInt8])? {
        guard try statement.step() else { return nil }
        let row = (sequence: UInt64(clamping: statement.integer(0)), bytes: statement.bytes(1))
        statement.reset()
        return row
    }

    /// The database's pages in use, in bytes.
    func usedBytes() throws(SQLiteError) -> Int64 { try usedPages() * BufferFile.pageBytes }
    func usedPages() throws(SQLiteError) -> Int64 { try pages(statements.pageCount) - pages(statements.freePageCount) }

    /// Whether it is the disk that leaves no room, rather than the buffer's own bound. SQLite has one error for both.
    var isDiskFull: Bool {
        guard let journalPath, !isFrozen else { return isFrozen }
        let directory = journalPath.lastIndex(of: "/").map { String(journalPath[..<$0]) } ?? "."
        guard let space = FileSystemSpace.ofDirectory(Array((directory.isEmpty ? "/" : directory).utf8)) else { return false }
        return space.available < Double(BufferLimits.journalBytes)
    }

    // MARK: A full disk

    /// Gives up the room that was held back, for the log and for what is in the log already, but not for the database to grow: it lives on the
    /// pages that it has until there is room again. Whether there was any.
    func freeze() throws(SQLiteError) -> Bool {
        guard let reserve, reserve.release() else { return false }
        isFrozen = true
        database.checkpoint()
        try BufferFile.setPagesMax(pages(statements.pageCount), of: database)
        return true
    }

    /// Holds room back again; when it can be had, the database may grow.
    func thaw() throws(SQLiteError) {
        reserve?.hold()
        guard isFrozen, reserve?.isHeld == true else { return }
        try BufferFile.setPagesMax(limits.databasePagesMax, of: database)
        isFrozen = false
    }

    private func pages(_ statement: Statement) throws(SQLiteError) -> Int64 {
        guard try statement.step() else { return 0 }
        defer { statement.reset() }
        return statement.integer(0)
    }
}
