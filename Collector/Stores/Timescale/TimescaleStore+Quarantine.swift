import PostgresDriver
import TimeSeriesStores

/// What was refused.
extension TimescaleStore {
    @discardableResult
    package func quarantine(_ items: [QuarantinedItem]) async throws -> Int {
        _ = try requirePlan("quarantine")
        return try await write("quarantine") { () async throws(PostgresError) in
            try await pool.transaction { (connection) throws(PostgresError) in try QuarantineCommit(items: items).run(connection) }
        }
    }

    package func quarantined(_ query: QuarantineQuery) async throws -> [QuarantinedItem] {
        try await read("list the quarantine") { (connection) throws(PostgresError) in try QuarantineTable(connection: connection).items(query) }
    }

    package func quarantined(id: Int64) async throws -> QuarantinedItem? {
        try await read("read the quarantine") { (connection) throws(PostgresError) in try QuarantineTable(connection: connection).item(id) }
    }

    package func setQuarantineReason(of id: Int64, _ reason: String) async throws {
        try await read("change the quarantine") { (connection) throws(PostgresError) in
            try QuarantineTable(connection: connection).setReason(of: id, reason)
        }
    }

    package func removeQuarantined(id: Int64) async throws -> Bool {
        try await read("change the quarantine") { (connection) throws(PostgresError) in try QuarantineTable(connection: connection).remove(id) }
    }
}
