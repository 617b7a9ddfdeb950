import LinuxDriver
import SQLiteDriver
import Telemetry

/// One opened buffer file and all that is read from it at opening: it is there as a whole, or the file is damaged. What it does to the file
/// it does in one transaction each; when to do what is the buffer's affair.
final class BufferSession {
    let stream: StreamId
    /// The highest sequence ever sealed; 0 before the first.
    private(set) var newest: Sequence64
    /// What may have left the device.
    private(set) var sent = SentMarks()
    let unsealed: UnsealedTicks
    /// Batches evicted since the file was opened.
    private(set) var evictedBatches = 0
    /// What was evicted and has no receipt yet.
    var unreported = Eviction()

    let database: Database
    private let statements: BufferStatements

    /// SQLite's code for "no such table" and the like: in a file with our version number, damage.
    private static let missingTableCode: Int32 = 1
    /// A sequence above this was never sealed, it was read from a damaged file.
    private static let newestMax = Sequence64.max / 4

    /// Opens the file; when it is damaged, puts it aside under another name, which is returned, and begins a new one.
    static func openOrBegin(_ path: String, limits: BufferLimits, at wall: Int64) throws(BufferError) -> (BufferSession, damagedFile: String?) {
        do throws(BufferError) {
            if DamagedFiles.takeSentence(path) { throw BufferError(.damaged, path, "found damaged while it was in use") }
            return (try BufferSession(path, limits), nil)
        } catch {
            guard error.reason == .damaged, let aside = DamagedFiles.setAside(path, at: wall) else { throw error }
            return (try BufferSession(path, limits), aside)
        }
    }

    private init(_ path: String, _ limits: BufferLimits) throws(BufferError) {
        database = try BufferFile.open(path, limits: limits)
        do throws(SQLiteError) {
            statements = try BufferStatements(database)
        } catch {
            throw error.code == Self.missingTableCode ? BufferError(.damaged, path, error.description) : BufferError(error, path)
        }
        let (first, last): (Int64, Int64)
        do throws(SQLiteError) {
            stream = UInt64(bitPattern: try database.integer("SELECT value FROM meta WHERE key = 'stream'") ?? 0)
            newest = UInt64(bitPattern: try database.integer("SELECT value FROM meta WHERE key = 'newest'") ?? -1)
            first = try database.integer("SELECT min(sequence) FROM batches") ?? 1
            last = try database.integer("SELECT max(sequence) FROM batches") ?? 0
            if try statements.selectSent.step() {
                var reader = ByteReader(statements.selectSent.bytes(0))
                statements.selectSent.reset()
                // What cannot be read may all have been sent.
                if let marks = try? SentMarks(from: &reader) { sent = marks } else { sent.insert(1...Self.newestMax) }
            }
        } catch {
            throw BufferError(error, path)
        }
        guard stream != 0, newest <= Self.newestMax, first >= 1, last <= Int64(newest) else {
            throw BufferError(.damaged, path, "its stream or its sequences are missing or impossible")
        }
        do throws(SQLiteError) { unsealed = try UnsealedTicks(database, statements) } catch { throw BufferError(error, path) }
    }

    // MARK: Batches

    /// One transaction, forced to disk: the batches and their sequences and, if they hold the unsealed ticks, the end of those.
    func write(_ payloads: [BatchPayload], device: DeviceId, sealedAt: Int64, sealsTicks: Bool, goingOut: Bool) throws(SQLiteError) {
        var sequence = newest
        var marks = sent
        if goingOut, !payloads.isEmpty { marks.insert(newest + 1...newest + UInt64(payloads.count)) }
        try durably { () throws(SQLiteError) in
            // First the deletion: its pages are what a full file has for the batches.
            if sealsTicks { try unsealed.deleteRows() }
            for payload in payloads {
                sequence += 1
                let batch = Batch(
                    kind: payload.kind, device: device, stream: stream, sequence: sequence, sealedAt: sealedAt, payload: payload.bytes[...])
                statements.insertBatch.bind(1, Int64(sequence))
                statements.insertBatch.bind(2, Int64(batch.priority))
                statements.insertBatch.bind(3, Int64(payload.samples))
                statements.insertBatch.bind(4, sealedAt)
                statements.insertBatch.bind(5, batch.encoded())
                try statements.insertBatch.run()
            }
            statements.setNewest.bind(1, Int64(sequence))
            try statements.setNewest.run()
            if goingOut { try write(marks) }
        }
        newest = sequence
        sent = marks
        if sealsTicks { unsealed.forget() }
    }

    /// Notes that these may leave the device from now on; forced to disk when it returns.
    func markSent(_ sequences: ClosedRange<Sequence64>) throws(SQLiteError) {
        var marks = sent
        marks.insert(sequences)
        try durably { () throws(SQLiteError) in try write(marks) }
        sent = marks
    }

    private func write(_ marks: SentMarks) throws(SQLiteError) {
        var writer = ByteWriter()
        marks.write(to: &writer)
        statements.setSent.bind(1, writer.bytes)
        try statements.setSent.run()
    }

    /// One transaction that is on the disk when this returns.
    private func durably(_ work: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        // "The synchronous setting can only be changed outside of a transaction."
        try database.execute("PRAGMA synchronous = FULL")
        defer { try? database.execute("PRAGMA synchronous = NORMAL") }
        try database.transaction(work)
    }

    func batch(_ sequence: Sequence64) throws(SQLiteError) -> (sequence: Sequence64, bytes: [UInt8])? {
        statements.selectExact.bind(1, Int64(clamping: sequence))
        return try first(of: statements.selectExact)
    }

    /// The newest batch older than `sequence`.
    func newestBatch(below sequence: Sequence64) throws(SQLiteError) -> (sequence: Sequence64, bytes: [UInt8])? {
        statements.selectBelow.bind(1, Int64(clamping: sequence))
        return try first(of: statements.selectBelow)
    }

    func newestBatch(below sequence: Sequence64, priority: UInt8) throws(SQLiteError) -> (sequence: Sequence64, bytes: [UInt8])? {
        statements.selectBelowOfPriority.bind(1, Int64(clamping: sequence))
        statements.selectBelowOfPriority.bind(2, Int64(priority))
        return try first(of: statements.selectBelowOfPriority)
    }

    private func first(of statement: Statement) throws(SQLiteError) -> (sequence: Sequence64, bytes: [UInt8])? {
        guard try statement.step() else { return nil }
        let row = (sequence: UInt64(clamping: statement.integer(0)), bytes: statement.bytes(1))
        statement.reset()
        return row
    }

    func forget(_ run: Acknowledgement.Run) throws(SQLiteError) {
        statements.deleteRange.bind(1, Int64(clamping: run.first))
        statements.deleteRange.bind(2, Int64(clamping: run.last))
        try statements.deleteRange.run()
    }

    // MARK: Room

    /// Drops the oldest batches of the lowest priority until at most `bytes` of pages are in use, and notes them in `unreported`.
    func evict(downTo bytes: Int64) throws(SQLiteError) {
        while try usedBytes() > bytes {
            var step = Eviction()
            try database.transaction { () throws(SQLiteError) in
                let oldest = statements.selectOldest
                var sequences: [Sequence64] = []
                while try oldest.step() {
                    let sequence = UInt64(clamping: oldest.integer(0))
                    step.add(sequence: sequence, samples: oldest.integer(1), sealedAt: oldest.integer(2))
                    sequences.append(sequence)
                }
                for sequence in sequences { try forget(Acknowledgement.Run(first: sequence)) }
            }
            guard step.batches > 0 else { return }
            evictedBatches += step.batches
            unreported.add(step)
        }
    }

    /// The database's pages in use, in bytes.
    func usedBytes() throws(SQLiteError) -> Int64 {
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        return (pages - free) * BufferFile.pageBytes
    }
}
