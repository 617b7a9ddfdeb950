import PostgresDriver

/// Sizes of the tables that grow with time.
enum TableHealth {
    static func look(_ layout: TableLayout, _ connection: PostgresConnection) throws(PostgresError) -> [StoreHealth.Table] {
        var tables: [StoreHealth.Table] = []
        for table in TimeTable.all {
            tables.append(try layout == .hypertables ? hypertable(table, connection) : partitioned(table, connection))
        }
        return tables
    }

    /// The Apache-2 edition's function for compression gives no row.
    private static func hypertable(_ table: TimeTable, _ connection: PostgresConnection) throws(PostgresError) -> StoreHealth.Table {
        let row = try connection.query(
            """
            SELECT (SELECT count(*) FROM show_chunks($1::text::regclass)), coalesce(hypertable_size($1::text::regclass), 0)::int8,
                (SELECT max(range_start) FROM timescaledb_information.chunks
                 WHERE hypertable_name = $1::text AND hypertable_schema = current_schema()),
                number_compressed_chunks::int8, before_compression_total_bytes::int8, after_compression_total_bytes::int8
            FROM (VALUES (1)) AS one LEFT JOIN hypertable_compression_stats($1::text::regclass) ON true
            """, [.text(table.name)])[0]
        var compression: StoreHealth.Compression?
        if let parts = try row.decodeIfPresent(Int64.self, at: 3), parts > 0 {
            compression = .init(
                parts: parts, bytesBefore: try row.decodeIfPresent(at: 4) ?? 0, bytesAfter: try row.decodeIfPresent(at: 5) ?? 0)
        }
        return StoreHealth.Table(
            name: table.name, parts: try row.decode(at: 0), bytes: try row.decode(at: 1),
            newestPart: try row.decodeIfPresent(PostgresTimestamp.self, at: 2)?.milliseconds, compression: compression)
    }

    /// Partitions of days to come are there already, and empty.
    private static func partitioned(_ table: TimeTable, _ connection: PostgresConnection) throws(PostgresError) -> StoreHealth.Table {
        let row = try connection.query(
            """
            SELECT count(*), coalesce(sum(pg_total_relation_size(inhrelid)), 0)::int8,
                max(substring(relname FROM '_p(-?[0-9]{1,9})$')::int8) FILTER (WHERE pg_relation_size(inhrelid) > 0)
            FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = $1::text::regclass
            """, [.text(table.name)])[0]
        return StoreHealth.Table(
            name: table.name, parts: try row.decode(at: 0), bytes: try row.decode(at: 1),
            newestPart: try row.decodeIfPresent(Int64.self, at: 2).map(table.start), compression: nil)
    }
}
