import PostgresDriver

/// Gives a hypertable that an earlier version had compressed by time first the order that `TimeTable` says, and compresses its chunks anew, the newest
/// first, as these keep what they were compressed with. In the order of before what comes late, into a chunk that is compressed again, may split groups.
/// What somebody has chosen otherwise stays.
struct ChunkOrder {
    /// A compressed chunk.
    private struct Chunk {
        /// As statements name it.
        let place: String
        let isOld: Bool
    }

    private let table: TimeTable
    private let connection: PostgresConnection

    init(_ table: TimeTable, _ connection: PostgresConnection) {
        self.table = table
        self.connection = connection
    }

    func look() throws(PostgresError) -> PartMigrator.Progress {
        let chunks = try chunks()
        return progress(of: chunks.count, done: chunks.count { !$0.isOld })
    }

    /// Gives the table the order, which chunks get that are compressed from now on.
    /// - Returns: whether none is left that has the other.
    func begin() throws(PostgresError) -> Bool {
        if try isSetOld(), let statement = table.compressionStatement { try BriefLock.execute(statement, connection) }
        return try chunks().allSatisfy { !$0.isOld }
    }

    func run(_ tell: (PartMigrator.Progress) -> Void) throws(PostgresError) {
        guard try !begin() else { return }
        let chunks = try chunks()
        let old = chunks.filter { $0.isOld }
        var done = chunks.count - old.count
        var failure: PostgresError?
        tell(progress(of: chunks.count, done: done))
        for chunk in old {
            do throws(PostgresError) {
                guard try compress(chunk) else { continue }
                done += 1
                tell(progress(of: chunks.count, done: done))
            } catch {
                // What the server does not permit for one, e.g. one that is frozen, keeps no other from being done.
                guard error.reason == .failed || error.reason == .statement else { throw error }
                failure = failure ?? PostgresError(error.reason, operation: "compress \(chunk.place) in another order", detail: error.detail)
            }
        }
        if let failure { throw failure }
        let left = try self.chunks().count { $0.isOld }
        guard left == 0 else {
            throw PostgresError(
                .locked, operation: "compress \(table.name) in another order", detail: "others use \(left) of \(chunks.count) chunks")
        }
    }

    private func progress(of parts: Int, done: Int) -> PartMigrator.Progress { .init(change: table.name + "_order", parts: parts, done: done) }

    /// In one transaction: late rows for the chunk, and who reads it, wait until it is done, or are in the way of it.
    /// - Returns: whether it is done, or gone; false when others use it.
    private func compress(_ chunk: Chunk) throws(PostgresError) -> Bool {
        do throws(PostgresError) {
            try BriefLock.execute("SELECT decompress_chunk('\(chunk.place)', true); SELECT compress_chunk('\(chunk.place)')", connection)
        } catch {
            if error.reason == .locked || error.reason == .conflict { return false }
            // What is old goes meanwhile.
            guard try connection.query("SELECT to_regclass($1) IS NULL", [.text(chunk.place)]).value(Bool.self) == true else { throw error }
        }
        return true
    }

    // MARK: Looking

    /// Whether the table, not its chunks, has the order of before.
    private func isSetOld() throws(PostgresError) -> Bool {
        guard let compression = table.compression, try has("timescaledb_information.compression_settings") else { return false }
        return try connection.query(
            """
            SELECT count(*) = 3 AND bool_and(CASE attname WHEN $2 THEN segmentby_column_index = 1
                WHEN $3 THEN orderby_column_index = 1 AND NOT orderby_asc WHEN 'id' THEN orderby_column_index = 2 AND NOT orderby_asc ELSE false END)
            FROM timescaledb_information.compression_settings WHERE hypertable_schema = current_schema() AND hypertable_name = $1
            """, [.text(table.name), .text(compression.segmentBy), .text(table.column)]
        ).value(Bool.self) == true
    }

    /// What is compressed, the newest first. Servers before 2.14 have no order by chunk, and refuse another while there is one.
    private func chunks() throws(PostgresError) -> [Chunk] {
        guard try has("timescaledb_information.chunk_compression_settings") else { return [] }
        let rows = try connection.query(
            """
            SELECT format('%I.%I', chunk_schema, chunk_name),
                coalesce(replace(orderby, '"', '') ~ $2 AND replace(segmentby, '"', '') = $3, false)
            FROM timescaledb_information.chunk_compression_settings JOIN timescaledb_information.chunks
                ON chunk = format('%I.%I', chunk_schema, chunk_name)::regclass
            WHERE hypertable = $1::text::regclass ORDER BY range_start DESC
            """,
            [.text(table.name), .text("^\(table.column) DESC( NULLS FIRST)?,\\s*id DESC( NULLS FIRST)?$"), .text(table.compression?.segmentBy ?? "")])
        var chunks: [Chunk] = []
        for row in rows { chunks.append(Chunk(place: try row.decode(at: 0), isOld: try row.decode(at: 1))) }
        return chunks
    }

    private func has(_ view: String) throws(PostgresError) -> Bool {
        try connection.query("SELECT to_regclass($1) IS NOT NULL", [.text(view)]).value(Bool.self) == true
    }
}
