import PostgresDriver

/// Builds the indexes that migrations have added to tables that may be large, while samples are written: the table's own, which new parts get a
/// like of; then one CONCURRENTLY on each part that is there already. "A standard index build locks out writes (but not reads) on the table until
/// it's done." TimescaleDB's own way, a transaction a chunk, locks writes out of the chunk that they go to.
///
/// May be broken off at any point and begun again: what a broken-off build leaves behind is invalid, and is dropped.
package struct IndexBuild {
    /// How far an index is.
    package struct Progress: Equatable, Sendable {
        package let index: String
        /// Partitions or chunks.
        package let parts: Int
        /// Of those that were there already.
        package let built: Int
    }

    /// "FARI": who builds holds this advisory lock. It is not waited for: who waits in a statement is an old transaction, which is what a build itself
    /// waits for.
    private static let lock: Int64 = 0x4641_5249
    /// How often it is looked for parts that lack an index, until none does.
    private static let roundsMax = 3
    private static let undefinedTable = "42P01"

    private let connection: PostgresConnection

    /// - Parameter connection: with `TimescaleOptions.indexBuild`, as a build takes as long as it takes.
    package init(_ connection: PostgresConnection) { self.connection = connection }

    /// How far the indexes of migrations are. Changes nothing.
    package func look(_ migrations: [Migration]) throws(PostgresError) -> [Progress] {
        var found: [Progress] = []
        for index in migrations.flatMap(\.indexes) {
            let parts = try IndexedParts(index, connection)
            found.append(Progress(index: index.name, parts: parts.all.count, built: parts.all.count { $0.isDone }))
        }
        return found
    }

    /// Builds what is missing; nothing when that is nothing.
    /// - Parameter tell: called before the first part of an index and after each.
    /// - Returns: false when another collector is at it.
    package func run(_ tell: (Progress) -> Void = { _ in }) throws(PostgresError) -> Bool {
        guard try connection.query("SELECT pg_try_advisory_lock($1)", [.integer(Self.lock)]).value(Bool.self) == true else { return false }
        defer { _ = try? connection.run("SELECT pg_advisory_unlock($1)", [.integer(Self.lock)]) }
        let plan = try Migrator(connection).plan()
        guard plan.unknown == nil else { return true }
        for migration in plan.missing where migration.isBuiltApart {
            for index in migration.indexes { try build(index, tell) }
            try connection.run(
                "INSERT INTO farwatch_migrations (version, name) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING",
                [.integer(Int64(migration.version)), .text(migration.name)])
        }
        return true
    }

    private func build(_ index: PartIndex, _ tell: (Progress) -> Void) throws(PostgresError) {
        if try !IndexedParts.hasOwn(index, connection) {
            try BriefLock.execute("CREATE INDEX \(index.name) ON ONLY \(index.table.name) \(index.definition)", connection)
        }
        for _ in 0..<Self.roundsMax {
            let parts = try IndexedParts(index, connection)
            let lacking = parts.all.filter { !$0.isDone }
            guard !lacking.isEmpty else { return }
            func told(_ done: Int) { tell(Progress(index: index.name, parts: parts.all.count, built: parts.all.count - lacking.count + done)) }
            told(0)
            for (number, part) in lacking.enumerated() {
                try build(index, part)
                told(number + 1)
            }
        }
        guard try IndexedParts(index, connection).all.allSatisfy({ $0.isDone }) else {
            throw PostgresError(.locked, operation: "build the index " + index.name, detail: "somebody else drops or detaches what is built")
        }
    }

    private func build(_ index: PartIndex, _ part: IndexedParts.Part) throws(PostgresError) {
        do throws(PostgresError) {
            if let broken = part.broken { try connection.execute("DROP INDEX CONCURRENTLY IF EXISTS \(broken)") }
            let built = part.built ?? index.name(ofPart: part.name)
            if part.built == nil { try connection.execute("CREATE INDEX CONCURRENTLY \(built) ON \(part.place) \(index.definition)") }
            if part.needsAttaching { try BriefLock.execute("ALTER INDEX \(index.name) ATTACH PARTITION \(built)", connection) }
        } catch {
            // What is old goes meanwhile.
            guard error.sqlState == Self.undefinedTable else { throw error }
        }
    }
}
