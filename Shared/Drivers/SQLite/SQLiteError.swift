import CSQLite

/// What SQLite refused: its extended result code and words, and what was being done.
package struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The extended result code, <https://www.sqlite.org/rescode.html>.
    package let code: Int32
    /// What was being done: `open`, `prepare`, `step`, …
    package let operation: String
    /// SQLite's message, and the statement's text where there is one; never bound values.
    package let detail: String

    package init(code: Int32, operation: String, detail: String) {
        self.code = code
        self.operation = operation
        self.detail = detail
    }

    package var description: String { "SQLite cannot " + operation + ": " + detail + " (code " + String(code) + ")" }

    private var primaryCode: Int32 { code & 0xFF }

    package var isCorruption: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }
    package var isFull: Bool { primaryCode == SQLITE_FULL }
    package var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }
    /// The values are what is wrong: a constraint, a type, or too large a value. The same statement with other values may well do.
    package var isRefusal: Bool { primaryCode == SQLITE_CONSTRAINT || primaryCode == SQLITE_MISMATCH || primaryCode == SQLITE_TOOBIG }
    /// A row with that key is there already: SQLITE_CONSTRAINT_UNIQUE, …_PRIMARYKEY, …_ROWID.
    package var isDuplicateKey: Bool { code == 2067 || code == 1555 || code == 2579 }
    /// The file cannot be opened or written: missing directory, permissions, a read-only file system.
    package var isAccess: Bool { primaryCode == SQLITE_CANTOPEN || primaryCode == SQLITE_READONLY || primaryCode == SQLITE_PERM }
}
