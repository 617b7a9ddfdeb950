import PostgresDriver

/// How the indexes are used. Every chunk or partition has its own; those of one kind are taken together.
enum IndexHealth {
    /// Looked at; the schema has fewer.
    private static let indexesMax = 64
    /// Tables beside those that grow with time.
    private static let otherTables = ["devices", "metric_series", "stream_accounts", "eviction_receipts", "quarantine"]

    static func look(_ layout: TableLayout, _ connection: PostgresConnection) throws(PostgresError) -> [StoreHealth.Index] {
        let parted = TimeTable.all.map { $0.name }
        return try indexes(of: parted, parts: layout == .hypertables ? chunks : partitions, connection)
            + indexes(of: otherTables, parts: partitions, connection)
    }

    private static func indexes(
        of tables: [String], parts: String, _ connection: PostgresConnection
    ) throws(PostgresError) -> [StoreHealth.Index] {
        // An index of a part is the one of its table that has the same columns: its name is the server's to choose.
        let rows = try connection.query(
            """
            WITH tables AS (SELECT name::regclass::oid AS root FROM unnest($1::text[]) AS names (name)),
            parts AS (SELECT root, root AS part FROM tables UNION ALL \(parts)),
            uses AS (
                SELECT root, part, indexrelid, indisunique, pg_stat_get_numscans(indexrelid) AS scans,
                    substring(pg_get_indexdef(indexrelid) FROM ' USING .*$') AS columns
                FROM parts JOIN pg_index ON indrelid = part
            )
            SELECT own.root::regclass::text, pg_class.relname::text, coalesce(sum(uses.scans), 0)::int8,
                coalesce(sum(pg_relation_size(uses.indexrelid)), 0)::int8, own.indisunique
            FROM uses AS own JOIN uses USING (root, columns) JOIN pg_class ON pg_class.oid = own.indexrelid
            WHERE own.part = own.root
            GROUP BY 1, 2, 5 ORDER BY 1, 2 LIMIT $2
            """, [.texts(tables), .integer(Int64(indexesMax))])
        var indexes: [StoreHealth.Index] = []
        for row in rows {
            indexes.append(
                .init(
                    table: try row.decode(at: 0), name: try row.decode(at: 1), scans: try row.decode(at: 2), bytes: try row.decode(at: 3),
                    isUnique: try row.decode(at: 4)))
        }
        return indexes
    }

    private static let chunks = "SELECT root, chunk::oid FROM tables, show_chunks(root::regclass) AS chunk"
    private static let partitions = "SELECT root, inhrelid FROM tables JOIN pg_inherits ON inhparent = root"
}
