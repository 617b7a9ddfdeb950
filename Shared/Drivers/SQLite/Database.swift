import CSQLite

/// One connection to one SQLite file, used from one thread at a time.
package final class Database {
    package enum Access: Sendable {
        case readOnly
        case readWriteCreate
    }

    /// How long a statement waits for another process's lock.
    package static let busyTimeoutMilliseconds: Int32 = 5_000

    package let path: String
    fileprivate let handle: OpaquePointer

    package init(path: String, access: Access = .readWriteCreate) throws(SQLiteError) {
        var opened: OpaquePointer?
        let flags =
            access == .readOnly
            ? SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
            : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let detail = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            // "Whether or not an error occurs when it is opened, resources associated with the database connection handle should be released".
            if let opened { sqlite3_close_v2(opened) }
            throw SQLiteError(code: code, operation: "open " + path, detail: detail)
        }
        self.path = path
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, Self.busyTimeoutMilliseconds)
    }

    deinit {
        // "If sqlite3_close_v2() is called with unfinalized prepared statements … the database connection becomes an unusable 'zombie'
        // which will automatically be deallocated when the last prepared statement is finalized."
        sqlite3_close_v2(handle)
    }

    /// Runs statements that take no parameters and whose rows do not matter.
    package func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, "execute", sql) }
    }

    package func prepare(_ sql: String) throws(SQLiteError) -> Statement { try Statement(self, sql) }

    /// Runs `body` between BEGIN IMMEDIATE and COMMIT; rolls back when it throws.
    package func transaction<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try execute("BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // "If the transaction has already been rolled back automatically by the error response, then the ROLLBACK command will fail
            // with an error, but no harm is caused by this."
            try? execute("ROLLBACK")
            throw error
        }
    }

    /// The bytes of the file that this database is, or would be if it is in memory; nil when there is no memory for them.
    package func serialized() -> [UInt8]? {
        var count: sqlite3_int64 = 0
        guard let bytes = sqlite3_serialize(handle, "main", &count, 0) else { return nil }
        // "The caller is responsible for freeing the returned value (using sqlite3_free()) to avoid a memory leak."
        defer { sqlite3_free(bytes) }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    /// The single integer of a query's first row, or nil for no row or NULL.
    package func integer(_ sql: String) throws(SQLiteError) -> Int64? {
        let statement = try prepare(sql)
        guard try statement.step() else { return nil }
        return statement.isNull(0) ? nil : statement.integer(0)
    }

    /// Brings of the write-ahead log into the database what it can without waiting for anybody, so that its room can be written again.
    package func checkpoint() { sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil) }

    /// Brings the write-ahead log into the database and empties it, unless another connection holds it up; whether it is empty now. An error when
    /// the disk is full or the file damaged.
    package func emptyJournal() throws(SQLiteError) -> Bool {
        // "the busy-handler callback is invoked" for the others to go: nobody is waited for here.
        sqlite3_busy_timeout(handle, 0)
        defer { sqlite3_busy_timeout(handle, Self.busyTimeoutMilliseconds) }
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard code != SQLITE_OK else { return true }
        // Busy: another connection reads or writes. Locked: this one does.
        guard code & 0xFF == SQLITE_BUSY || code & 0xFF == SQLITE_LOCKED else { throw error(code, "empty the log of", path) }
        return false
    }

    /// Pages that had to be read from the file since the connection was opened.
    package var pagesRead: Int {
        var current: Int32 = 0
        var highest: Int32 = 0
        // "SQLITE_DBSTATUS_CACHE_MISS … the number of pager cache misses that have occurred".
        sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_MISS, &current, &highest, 0)
        return Int(current)
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    package var changes: Int { Int(sqlite3_changes64(handle)) }
    package var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// The library's version, e.g. `3.40.1`.
    package static var version: String { String(cString: sqlite3_libversion()) }

    fileprivate func error(_ code: Int32, _ operation: String, _ sql: String) -> SQLiteError {
        let extended = sqlite3_extended_errcode(handle)
        let detail = String(cString: sqlite3_errmsg(handle)) + " in: " + sql
        return SQLiteError(code: extended == SQLITE_OK ? code : extended, operation: operation, detail: detail)
    }
}

/// A prepared statement. Parameters count from 1, columns from 0, as in SQLite's own interface.
///
/// `step` through a query to its end or `reset` it: an open query holds a read transaction.
package final class Statement {
    private let handle: OpaquePointer
    /// Keeps the connection open as long as the statement lives.
    private let database: Database
    private let sql: String

    fileprivate init(_ database: Database, _ sql: String) throws(SQLiteError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw database.error(code, "prepare", sql) }
        handle = prepared
        self.database = database
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Binding

    package func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(handle, index, value) }
    package func bind(_ index: Int32, _ value: Double) { sqlite3_bind_double(handle, index, value) }
    package func bindNull(_ index: Int32) { sqlite3_bind_null(handle, index) }

    package func bind(_ index: Int32, _ value: String) {
        var value = value
        value.withUTF8 { bytes in
            // A nil pointer would bind NULL instead of an empty text.
            bytes.withMemoryRebound(to: CChar.self) { _ = farwatch_bind_text(handle, index, $0.baseAddress ?? Self.empty, Int32($0.count)) }
        }
    }

    package func bind(_ index: Int32, _ value: [UInt8]) { bind(index, value[...]) }

    package func bind(_ index: Int32, _ value: ArraySlice<UInt8>) {
        value.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress, bytes.count > 0 {
                _ = farwatch_bind_blob(handle, index, base, Int32(bytes.count))
            } else {
                sqlite3_bind_zeroblob(handle, index, 0)
            }
        }
    }

    private nonisolated(unsafe) static let empty: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()

    // MARK: Running

    /// Moves to the next row; false at the end, where the statement is reset for its next use.
    package func step() throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        let error = code == SQLITE_DONE ? nil : database.error(code, "step", sql)
        sqlite3_reset(handle)
        if let error { throw error }
        return false
    }

    /// Runs to the end, whatever rows come.
    package func run() throws(SQLiteError) { while try step() {} }

    package func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    // MARK: The current row

    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    package func double(_ column: Int32) -> Double { sqlite3_column_double(handle, column) }
    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    package func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        // "The safest policy is to invoke … sqlite3_column_text() followed by sqlite3_column_bytes()".
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    package func bytes(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        let count = Int(sqlite3_column_bytes(handle, column))
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }
}
