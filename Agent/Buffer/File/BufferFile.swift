import LinuxDriver
import SQLiteDriver
import Telemetry

/// The buffer's SQLite file: opened, checked, brought to the current schema.
enum BufferFile {
    /// What stands for a database without a file.
    static let memoryPath = ":memory:"
    static let schemaVersion: Int64 = 2
    /// Files of versions that were never released hold what nobody reads any more.
    private static let schemaVersionLeast: Int64 = 2

    /// Series that the unsealed ticks may name; a reading of one more is in memory only, and lost when the agent is killed before the seal.
    static let seriesMax = Block.columnsMax
    /// From this many on, the table of series is begun anew when all ticks are sealed, so that series which came and went do not fill it.
    static let seriesKeptMax = seriesMax / 2

    /// `Salvage` knows rows by their columns: a change here is one there.
    private static let schema = """
        CREATE TABLE state(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
        CREATE TABLE series(id INTEGER PRIMARY KEY, key BLOB NOT NULL, checksum INTEGER NOT NULL);
        CREATE TABLE ticks(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, boot INTEGER NOT NULL, boot_id INTEGER NOT NULL, readings BLOB NOT NULL);
        CREATE TABLE batches(sequence INTEGER PRIMARY KEY, priority INTEGER NOT NULL, resolution INTEGER NOT NULL, span INTEGER NOT NULL,
            samples INTEGER NOT NULL, ticks INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, last_tick INTEGER NOT NULL,
            bytes BLOB NOT NULL);
        CREATE INDEX urgent_batches ON batches(sequence) WHERE priority > 10;
        """

    static let pageBytes: Int64 = 2048

    /// The one process that may write.
    static func lock(_ path: String) throws(BufferError) -> FileLock {
        do throws(SystemError) {
            if let slash = path.lastIndex(of: "/") { try SmallFile.makeDirectories(String(path[..<slash]), mode: 0o750) }
            if let lock = try FileLock(path + ".lock") { return lock }
        } catch {
            throw BufferError(error, path)
        }
        throw BufferError(.inUse, path, "another process has it open")
    }

    /// Opens the file for writing; makes it when it is not there.
    static func open(_ path: String, limits: BufferLimits) throws(BufferError) -> Database {
        do throws(SQLiteError) {
            if path != memoryPath { try begin(path) }
            let database = try Database(path: path)
            try configure(database, limits)
            try migrate(database)
            return database
        } catch { throw failure(error, path) }
    }

    static func failure(_ error: SQLiteError, _ path: String) -> BufferError {
        error.code == newerVersionCode ? BufferError(.newerVersion, path, error.detail) : BufferError(error, path)
    }

    /// The kernel's id of this boot, as a number; 0 where there is none.
    static func currentBootId() -> Int64 {
        guard let bytes = try? SmallFile.read("/proc/sys/kernel/random/boot_id", limit: 64) else { return 0 }
        var id: UInt64 = 0
        for byte in bytes where byte != UInt8(ascii: "-") {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { break }
            id = id << 4 | UInt64(digit)
        }
        return Int64(bitPattern: id)
    }

    /// Makes a file that is not there, whole: its bytes are on the disk before they get its name, and the name before there is a log beside it. That takes
    /// two syncs, where SQLite would take eight. Where it cannot be done, SQLite makes the file.
    private static func begin(_ path: String) throws(SQLiteError) {
        guard !SmallFile.exists(path) else { return }
        let model = try Database(path: memoryPath)
        try shape(model)
        try migrate(model)
        guard var bytes = model.serialized(), bytes.count > writeVersionAt + 1 else { return }
        bytes[writeVersionAt] = journalVersion
        bytes[writeVersionAt + 1] = journalVersion
        let new = path + ".new"
        _ = SmallFile.remove(new)
        guard SmallFile.writeContent(new, bytes, mode: 0o644) else { return }
        if SmallFile.renameWithoutLink(new, to: path) { SmallFile.syncDirectory(of: path) } else { _ = SmallFile.remove(new) }
    }

    /// The database file's format: "18 … File format write version. 1 for legacy; 2 for WAL", and behind it the same of reading.
    private static let writeVersionAt = 18
    private static let journalVersion: UInt8 = 2

    /// What a file keeps from its beginning on.
    private static func shape(_ database: Database) throws(SQLiteError) {
        try database.execute("PRAGMA page_size = " + String(pageBytes))
        // "Auto-vacuum … moves pages around", which is flash writes for nothing: the file keeps its free pages.
        try database.execute("PRAGMA auto_vacuum = NONE")
    }

    private static func configure(_ database: Database, _ limits: BufferLimits) throws(SQLiteError) {
        try shape(database)
        try database.execute("PRAGMA journal_mode = WAL")
        // "In WAL mode … synchronous=NORMAL … might lose durability" on a power cut, not on a crash: right for a tick; a seal asks for FULL.
        try database.execute("PRAGMA synchronous = NORMAL")
        // "looks for … cells whose content extends past the end of the page … as database pages are initially read from disk".
        try database.execute("PRAGMA cell_size_check = ON")
        try database.execute("PRAGMA cache_size = -256")
        try database.execute("PRAGMA wal_autocheckpoint = " + String(BufferLimits.journalBytes / pageBytes))
        try database.execute("PRAGMA journal_size_limit = " + String(BufferLimits.journalBytes))
        try setPagesMax(limits.databasePagesMax, of: database)
    }

    /// How large the database may become; it never becomes smaller than it is.
    static func setPagesMax(_ pages: Int64, of database: Database) throws(SQLiteError) {
        try database.execute("PRAGMA max_page_count = " + String(pages))
    }

    /// A code of our own beside SQLite's, to tell "newer version" from the library's errors.
    private static let newerVersionCode: Int32 = -1

    /// No release will ever have more schemas than this: a greater number is damage. SQLITE_CORRUPT.
    private static let versionMax: Int64 = 1_000
    private static let corruptCode: Int32 = 11

    /// The file's schema, 0 for a new one; one that this version does not know is an error.
    static func version(of database: Database) throws(SQLiteError) -> Int64 {
        let version = try database.integer("PRAGMA user_version") ?? 0
        guard version == 0 || (schemaVersionLeast...versionMax).contains(version) else {
            let detail = version == 1 ? "of a version before the first release" : "an impossible schema version"
            throw SQLiteError(code: corruptCode, operation: "migrate", detail: detail)
        }
        guard version <= schemaVersion else {
            let schemas = "schema " + String(version) + ", this one knows " + String(schemaVersion)
            let detail = "written by a newer Farwatch (" + schemas + "); install that version again"
            throw SQLiteError(code: newerVersionCode, operation: "migrate", detail: detail)
        }
        return version
    }

    private static func migrate(_ database: Database) throws(SQLiteError) {
        guard try version(of: database) == 0 else { return }
        try database.transaction { () throws(SQLiteError) in
            try database.execute(schema)
            // A stream is never 0, which means "unreadable" in an acknowledgement.
            let statement = try database.prepare("INSERT INTO state(id, bytes) VALUES(1, ?1)")
            statement.bind(1, BufferState(stream: max(1, Random.uint64())).encoded())
            try statement.run()
            try database.execute("PRAGMA user_version = " + String(schemaVersion))
        }
    }
}
