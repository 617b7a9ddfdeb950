import SQLiteDriver

/// Another process's transaction that reads and does not end.
final class SQLiteReading {
    private let database: Database

    init(_ path: String) throws {
        database = try Database(path: path, access: .readOnly)
        try database.execute("BEGIN")
        _ = try database.integer("SELECT count(*) FROM ticks")
    }

    func end() { try? database.execute("COMMIT") }
}
