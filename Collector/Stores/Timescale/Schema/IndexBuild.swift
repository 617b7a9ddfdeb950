import PostgresDriver

/// Builds an index that a migration has added to a table that may be large, while samples are written: the table's own, which new parts get a like of;
/// then one CONCURRENTLY on each part that is there already. "A standard index build locks out writes (but not reads) on the table until it's done."
/// TimescaleDB's own way, a transaction a chunk, locks writes out of the chunk that they go to.
///
/// What a build that was broken off leaves behind is invalid, and is dropped.
struct IndexBuild {
    /// How often it is looked for parts that lack an index, until none does.
    private static let roundsMax = 3
    private static let undefinedTable = "42P01"

    private let index: PartIndex
    private let connection: PostgresConnection

    init(_ index: PartIndex, _ connection: PostgresConnection) {
        self.index = index
        self.connection = connection
    }

    func look() throws(PostgresError) -> PartMigrator.Progress {
        let parts = try IndexedParts(index, connection).all
        return .init(change: index.name, parts: parts.count, done: parts.count { $0.isDone })
    }

    func run(_ tell: (PartMigrator.Progress) -> Void) throws(PostgresError) {
        if try !IndexedParts.hasOwn(index, connection) {
            try BriefLock.execute("CREATE INDEX \(index.name) ON ONLY \(index.table.name) \(index.definition)", connection)
        }
        for _ in 0..<Self.roundsMax {
            let parts = try IndexedParts(index, connection)
            let lacking = parts.all.filter { !$0.isDone }
            guard !lacking.isEmpty else { return }
            func told(_ done: Int) { tell(.init(change: index.name, parts: parts.all.count, done: parts.all.count - lacking.count + done)) }
            told(0)
            for (number, part) in lacking.enumerated() {
                try build(part)
                told(number + 1)
            }
        }
        guard try IndexedParts(index, connection).all.allSatisfy({ $0.isDone }) else {
            throw PostgresError(.locked, operation: "build the index " + index.name, detail: "somebody else drops or detaches what is built")
        }
    }

    private func build(_ part: IndexedParts.Part) throws(PostgresError) {
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
