import PostgresDriver

/// Applies what migrations change in tables that may be large: a partition or chunk after the other, while samples are written. May be broken off at
/// any point and begun again.
package struct PartMigrator {
    /// How far a change is.
    package struct Progress: Equatable, Sendable {
        /// E.g. `device_metrics_time`.
        package let change: String
        /// Partitions or chunks.
        package let parts: Int
        /// Those of them that have it.
        package let done: Int
    }

    /// "FARI": who does it holds this advisory lock. It is not waited for: who waits in a statement is an old transaction, which is what the build of an
    /// index itself waits for.
    private static let lock: Int64 = 0x4641_5249

    private let connection: PostgresConnection

    /// - Parameter connection: with `TimescaleOptions.partMigration`, as it takes as long as it takes.
    package init(_ connection: PostgresConnection) { self.connection = connection }

    /// How far the changes of migrations are. Changes nothing.
    package func look(_ migrations: [Migration]) throws(PostgresError) -> [Progress] {
        var found: [Progress] = []
        for change in migrations.flatMap(\.parts) {
            switch change {
            case .index(let index): found.append(try IndexBuild(index, connection).look())
            case .order(let table): found.append(try ChunkOrder(table, connection).look())
            }
        }
        return found
    }

    /// Does what is missing; nothing when that is nothing.
    /// - Parameters:
    ///   - rewrites: whether what is compressed is compressed anew, which takes room for a chunk that is unpacked, on a server whose room is not known
    ///     here, and gives none of it back when there is too little: for who asks for it and looks on.
    ///   - tell: called before the first part of a change and after each.
    /// - Returns: false when another collector is at it.
    package func run(rewrites: Bool = true, _ tell: (Progress) -> Void = { _ in }) throws(PostgresError) -> Bool {
        guard try connection.query("SELECT pg_try_advisory_lock($1)", [.integer(Self.lock)]).value(Bool.self) == true else { return false }
        defer { _ = try? connection.run("SELECT pg_advisory_unlock($1)", [.integer(Self.lock)]) }
        let plan = try Migrator(connection).plan()
        guard plan.unknown == nil else { return true }
        var failure: PostgresError?
        for migration in plan.missing where migration.isByParts {
            // One that somebody's lock is in the way of does not keep the others from being done.
            do throws(PostgresError) { try apply(migration, rewrites: rewrites, tell) } catch {
                guard error.reason == .locked || error.reason == .conflict else { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return true
    }

    private func apply(_ migration: Migration, rewrites: Bool, _ tell: (Progress) -> Void) throws(PostgresError) {
        var isDone = true
        for change in migration.parts {
            switch change {
            case .index(let index): try IndexBuild(index, connection).run(tell)
            case .order(let table):
                let order = ChunkOrder(table, connection)
                if rewrites { try order.run(tell) } else if try !order.begin() { isDone = false }
            }
        }
        guard isDone else { return }
        try connection.run(
            "INSERT INTO farwatch_migrations (version, name) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING",
            [.integer(Int64(migration.version)), .text(migration.name)])
    }
}
