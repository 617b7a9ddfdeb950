import LinuxDriver
import SQLiteDriver

/// Opens the SQLite files of the embedded stores: durable settings, and a schema that only moves forward.
package enum EmbeddedDatabase {
    /// WAL pages after which a commit moves them into the file.
    private static let checkpointPages = 4_000
    /// What the WAL is cut back to after a burst.
    private static let journalBytesMax = 64 * 1024 * 1024
    /// Pages kept in memory, in KiB.
    private static let cacheKibibytes = 32 * 1024

    /// What is to become of a schema that is not the newest.
    package enum Schema: Sendable {
        /// It is brought forward.
        case migrated
        /// It is an error: others use the file.
        case asItIs
    }

    /// Opens or creates the file and brings it to the newest schema. The schema's version is `PRAGMA user_version`; `migrations[n]`
    /// leads from version n to n + 1, in a transaction each.
    package static func open(
        directory: String, file: String, migrations: [String], schema: Schema = .migrated
    ) throws(StoreError) -> Database {
        let path = directory + "/" + file
        do throws(SystemError) { try SmallFile.makeDirectories(directory, mode: 0o750) } catch {
            throw StoreError(.notWritable, operation: "make the store's directory", path: directory, detail: error.description)
        }
        try checkNotEmptied(path)
        do throws(SQLiteError) {
            let database = try Database(path: path)
            // Readers go on while a group is written. <https://www.sqlite.org/wal.html>
            try database.execute("PRAGMA journal_mode=WAL")
            // In WAL mode, FULL syncs at each commit; with NORMAL "a transaction committed … might roll back following a power loss".
            try database.execute("PRAGMA synchronous=FULL")
            try database.execute("PRAGMA wal_autocheckpoint=\(checkpointPages)")
            try database.execute("PRAGMA journal_size_limit=\(journalBytesMax)")
            try database.execute("PRAGMA cache_size=-\(cacheKibibytes)")
            try database.execute("PRAGMA foreign_keys=ON")
            switch schema {
            case .migrated: try migrate(database, migrations)
            case .asItIs: try check(database, migrations)
            }
            return database
        } catch let error {
            throw error.code == newerSchemaCode
                ? StoreError(.newerSchema, operation: "open the store", path: path, detail: error.detail)
                : StoreError(error, operation: "open the store", path: path)
        }
    }

    /// A second connection to an open store that never writes.
    package static func openReadOnly(directory: String, file: String) throws(StoreError) -> Database {
        let path = directory + "/" + file
        do throws(SQLiteError) {
            let database = try Database(path: path, access: .readOnly)
            try database.execute("PRAGMA cache_size=-\(cacheKibibytes)")
            return database
        } catch { throw StoreError(error, operation: "open the store for reading", path: path) }
    }

    /// SQLite begins an empty file anew and writes over the log beside it. A log is made only once the file has its first page: one beside a file
    /// without any belongs to a file that was emptied or taken away.
    private static func checkNotEmptied(_ path: String) throws(StoreError) {
        let size = { (name: String) in (try? FileIdentity.of(name))?.size ?? 0 }
        guard size(path) == 0, size(path + "-wal") > 0 else { return }
        let detail = "it is empty or missing, but its log (-wal) is not: put the file back from a copy, or move the log away to begin anew"
        throw StoreError(.damaged, operation: "open the store", path: path, detail: detail)
    }

    /// Not a code of SQLite's, whose codes are positive.
    private static let newerSchemaCode: Int32 = -1

    private static func check(_ database: Database, _ migrations: [String]) throws(SQLiteError) {
        let version = Int(try database.integer("PRAGMA user_version") ?? 0)
        guard version == migrations.count else {
            let detail = "collectors of another version use it (schema \(version), this one's is \(migrations.count)); stop them first"
            throw SQLiteError(code: newerSchemaCode, operation: "open", detail: detail)
        }
    }

    private static func migrate(_ database: Database, _ migrations: [String]) throws(SQLiteError) {
        func version() throws(SQLiteError) -> Int { Int(try database.integer("PRAGMA user_version") ?? 0) }
        while try version() != migrations.count {
            try database.transaction { () throws(SQLiteError) in
                // Within the transaction: another collector may have been faster.
                let next = try version()
                guard next <= migrations.count else {
                    let detail = "its schema is version \(next), this collector knows up to \(migrations.count); use the newer collector"
                    throw SQLiteError(code: newerSchemaCode, operation: "migrate", detail: detail)
                }
                guard next < migrations.count else { return }
                try database.execute(migrations[next])
                try database.execute("PRAGMA user_version=\(next + 1)")
            }
        }
    }
}
