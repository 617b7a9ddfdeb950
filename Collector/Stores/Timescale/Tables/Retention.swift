import PostgresDriver

/// Drops the parts of a table that are older than it is kept. A part goes whole, in one transaction: until then it takes late rows and is read as
/// before, after it a late row gets a new one.
struct Retention {
    /// How long it is waited, without a lock, for those to be done who use the table when it starts.
    private static let usersWait: Duration = .seconds(5)
    private static let usersLookInterval: Duration = .milliseconds(100)

    let plan: Migrator.Plan
    let table: TimeTable
    /// What ended before goes: UTC, milliseconds since 1970.
    let limit: Int64

    func run(_ connection: PostgresConnection) throws(PostgresError) {
        if plan.layout == .hypertables {
            _ = try connection.query("SELECT drop_chunks('\(table.name)', older_than => to_timestamp($1::float8))", [.double(Double(limit) / 1000)])
        } else {
            for part in try Partitions.attached(to: table, connection) where table.start(of: part.number + 1) <= limit {
                try drop(part.name, connection)
            }
        }
    }

    /// Not by DETACH CONCURRENTLY: one that is broken off leaves a partition that takes no rows and is in the way of another.
    private func drop(_ name: String, _ connection: PostgresConnection) throws(PostgresError) {
        // Another collector may have been faster.
        try BriefLock.execute("DROP TABLE IF EXISTS \(name)", connection) { () throws(PostgresError) in try waitForUsers(connection) }
    }

    /// Whoever asks for the lock holds up all who come after: so not while somebody is at a long question.
    private func waitForUsers(_ connection: PostgresConnection) throws(PostgresError) {
        let users = try self.users(nil, connection)
        var waits = Self.usersWait.inMilliseconds / Self.usersLookInterval.inMilliseconds
        while try !self.users(users, connection).isEmpty {
            guard waits > 0 else {
                throw PostgresError(
                    .locked, operation: "drop a partition of \(table.name)",
                    detail: "others have used the table for \(Self.usersWait.inMilliseconds / 1_000) s or longer")
            }
            waits -= 1
            try connection.run("SELECT pg_sleep($1)", [.double(Double(Self.usersLookInterval.inMilliseconds) / 1_000)])
        }
    }

    /// Transactions that use the table.
    /// - Parameter known: only these; nil is all.
    private func users(_ known: [String]?, _ connection: PostgresConnection) throws(PostgresError) -> [String] {
        let rows = try connection.query(
            """
            SELECT DISTINCT virtualtransaction FROM pg_locks
            WHERE relation = $1::text::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted
                AND mode <> 'ShareUpdateExclusiveLock' AND ($2::text[] IS NULL OR virtualtransaction = ANY($2))
            """, [.text(table.name), known.map { .texts($0) } ?? .null])
        var users: [String] = []
        for row in rows { users.append(try row.decode(at: 0)) }
        return users
    }
}
