import LinuxDriver
import SQLiteDriver
import Telemetry

/// The buffer's SQLite file: opened, checked, brought to the current schema.
enum BufferFile {
    static let schemaVersion: Int64 = 1

    /// Series that the unsealed ticks may name; a reading of one more is in memory only, and lost when the agent is killed before the seal.
    static let seriesMax = Block.columnsMax
    /// From this many on, the table of series is begun anew when all ticks are sealed, so that series which came and went do not fill it.
    static let seriesKeptMax = seriesMax / 2

    private static let schema = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE series(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);
        CREATE TABLE ticks(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, boot INTEGER NOT NULL, boot_id INTEGER NOT NULL, readings BLOB NOT NULL);
        CREATE TABLE batches(sequence INTEGER PRIMARY KEY, priority INTEGER NOT NULL, samples INTEGER NOT NULL, sealed_at INTEGER NOT NULL, bytes BLOB NOT NULL);
        CREATE INDEX batches_by_priority ON batches(priority, sequence);
        """

    static let pageBytes: Int64 = 4096

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
            let database = try Database(path: path)
            try configure(database, limits)
            try migrate(database)
            return database
        } catch {
            if error.code == newerVersionCode { throw BufferError(.newerVersion, path, error.detail) }
            throw BufferError(error, path)
        }
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

    private static func configure(_ database: Database, _ limits: BufferLimits) throws(SQLiteError) {
        try database.execute("PRAGMA page_size = " + String(pageBytes))
        try database.execute("PRAGMA journal_mode = WAL")
        // "In WAL mode … synchronous=NORMAL … might lose durability" on a power cut, not on a crash: right for a tick; a seal asks for FULL.
        try database.execute("PRAGMA synchronous = NORMAL")
        try database.execute("PRAGMA cache_size = -256")
        try database.execute("PRAGMA wal_autocheckpoint = " + String(BufferLimits.journalBytes / pageBytes))
        try database.execute("PRAGMA journal_size_limit = " + String(BufferLimits.journalBytes))
        try database.execute("PRAGMA max_page_count = " + String(limits.databaseBytesMax / pageBytes))
    }

    /// A code of our own beside SQLite's, to tell "newer version" from the library's errors.
    private static let newerVersionCode: Int32 = -1

    /// No release will ever have more schemas than this: a greater number is damage. SQLITE_CORRUPT.
    private static let versionMax: Int64 = 1_000
    private static let corruptCode: Int32 = 11

    private static func migrate(_ database: Database) throws(SQLiteError) {
        let version = try database.integer("PRAGMA user_version") ?? 0
        guard version <= versionMax else { throw SQLiteError(code: corruptCode, operation: "migrate", detail: "an impossible schema version") }
        guard version <= schemaVersion else {
            let schemas = "schema " + String(version) + ", this one knows " + String(schemaVersion)
            let detail = "written by a newer Farwatch (" + schemas + "); install that version again"
            throw SQLiteError(code: newerVersionCode, operation: "migrate", detail: detail)
        }
        guard version == 0 else { return }
        try database.transaction { () throws(SQLiteError) in
            try database.execute(schema)
            // A stream is never 0, which means "unreadable" in an acknowledgement.
            let stream = Int64(bitPattern: max(1, Random.uint64()))
            try database.execute("INSERT INTO meta(key, value) VALUES('stream', " + String(stream) + "), ('newest', 0)")
            try database.execute("PRAGMA user_version = " + String(schemaVersion))
        }
    }
}
