import PostgresDriver

/// The partitions or chunks of a table, and whether they have an index.
struct IndexedParts {
    struct Part {
        let name: String
        /// As statements name it: with its schema, where that is not searched.
        let place: String
        /// One with the same columns that may be used, whatever its name is, as statements name it.
        let built: String?
        /// What a build that was broken off has left behind, as statements name it.
        let broken: String?
        /// A partition's index belongs to the table's; a chunk's stands for itself.
        let needsAttaching: Bool

        var isDone: Bool { built != nil && !needsAttaching && broken == nil }
    }

    let all: [Part]

    init(_ index: PartIndex, _ connection: PostgresConnection) throws(PostgresError) {
        let rows = try connection.query(
            """
            WITH own AS (
                SELECT indexrelid, \(Self.columns) AS columns FROM pg_index
                WHERE indrelid = $1::text::regclass AND indexrelid = to_regclass(quote_ident($2::text))
            ),
            parts AS (
                SELECT part.oid, part.relname::text AS name, parent.relkind = 'p' AS is_partition,
                    (SELECT indexrelid FROM pg_index WHERE indrelid = part.oid AND indisvalid AND \(Self.columns) = (SELECT columns FROM own)
                     AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid AND inhparent <> (SELECT indexrelid FROM own))
                     ORDER BY indexrelid LIMIT 1) AS built,
                    (SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                     WHERE indrelid = part.oid AND NOT indisvalid AND relname = part.relname || '_' || $3::text) AS broken
                FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid JOIN pg_class AS parent ON parent.oid = inhparent
                WHERE inhparent = $1::text::regclass AND NOT inhdetachpending AND part.relkind = 'r'
            )
            SELECT name, oid::regclass::text, built::regclass::text, broken::regclass::text,
                is_partition AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = built AND inhparent = (SELECT indexrelid FROM own))
            FROM parts ORDER BY oid
            """, [.text(index.table.name), .text(index.name), .text(index.suffix)])
        var all: [Part] = []
        for row in rows {
            all.append(
                Part(
                    name: try row.decode(at: 0), place: try row.decode(at: 1), built: try row.decodeIfPresent(at: 2),
                    broken: try row.decodeIfPresent(at: 3),
                    needsAttaching: try row.decode(at: 4)))
        }
        self.all = all
    }

    /// What an index is of, without its name and its table's.
    private static let columns = "substring(pg_get_indexdef(indexrelid) FROM ' USING .*$')"

    /// Whether the table itself has the index, which parts that are made later get a like of.
    static func hasOwn(_ index: PartIndex, _ connection: PostgresConnection) throws(PostgresError) -> Bool {
        try connection.query(
            "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = $1::text::regclass AND indexrelid = to_regclass(quote_ident($2::text)))",
            [.text(index.table.name), .text(index.name)]
        ).value(Bool.self) == true
    }
}
