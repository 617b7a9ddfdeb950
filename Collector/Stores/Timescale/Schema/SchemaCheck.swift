import PostgresDriver

/// What stands in the way of a database's schema: columns that are not as this program made them, tables that are not ours, rights that a role lacks.
/// Changes nothing.
package struct SchemaCheck: Equatable, Sendable {
    /// Columns and tables that are missing or of another type, in words.
    package private(set) var differences: [String] = []
    /// Tables with names of ours in a database that no Farwatch has set up.
    package private(set) var foreignTables: [String] = []
    /// What this role may not and has to, in words.
    package private(set) var lackingRights: [String] = []
    /// What gives the role those rights, for one that may.
    package private(set) var grants: [String] = []

    /// Told of each kind.
    private static let toldMax = 20

    /// - Parameter plan: the columns are looked at, too, when nothing is missing but what is done by parts.
    package init(_ plan: Migrator.Plan, _ connection: PostgresConnection) throws(PostgresError) {
        let isOurs = try connection.query("SELECT to_regclass('farwatch_migrations') IS NOT NULL").value(Bool.self) == true
        let found = try Self.columns(connection)
        if isOurs {
            if plan.missing.allSatisfy({ $0.isByParts }), plan.unknown == nil { differences = Self.differences(found) }
        } else {
            foreignTables = SchemaColumns.all.map { $0.table }.filter { found[$0] != nil }
        }
        try lookAtRights(makesTables: !plan.missing.isEmpty || plan.layout == .partitions, connection)
    }

    /// Why samples cannot be written into it; nil when they can.
    package var refusal: String? {
        if !differences.isEmpty { return "its tables are not as this program makes them: " + differences.joined(separator: ", ") }
        guard !foreignTables.isEmpty else { return nil }
        return "it has tables of another program: " + foreignTables.joined(separator: ", ")
    }

    // MARK: Columns

    /// Type by column by table, of those that a name without its schema finds.
    private static func columns(_ connection: PostgresConnection) throws(PostgresError) -> [String: [String: String]] {
        let rows = try connection.query(
            """
            SELECT relname, attname, typname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_type ON pg_type.oid = atttypid
            WHERE relname = ANY($1::text[]) AND relkind IN ('r', 'p') AND pg_table_is_visible(pg_class.oid) AND attnum > 0 AND NOT attisdropped
            """, [.texts(SchemaColumns.all.map { $0.table })])
        var columns: [String: [String: String]] = [:]
        for row in rows { columns[try row.decode(at: 0), default: [:]][try row.decode(at: 1)] = try row.decode(String.self, at: 2) }
        return columns
    }

    private static func differences(_ found: [String: [String: String]]) -> [String] {
        var differences: [String] = []
        for (table, columns) in SchemaColumns.all {
            guard let actual = found[table] else {
                differences.append("the table \(table) is missing")
                continue
            }
            let strange = actual.keys.filter { name in !columns.contains { $0.name == name } }.sorted()
            for column in columns where actual[column.name] != column.type {
                guard let type = actual[column.name] else {
                    let hint = strange.isEmpty ? "" : "; there is " + strange.joined(separator: ", ") + " that is not ours"
                    differences.append("the column \(table).\(column.name) is missing" + hint)
                    continue
                }
                differences.append("the column \(table).\(column.name) is of the type \(type), not \(column.type)")
            }
        }
        return Array(differences.prefix(toldMax))
    }

    // MARK: Rights

    /// - Parameter makesTables: chunks are made where everyone may make them.
    private mutating func lookAtRights(makesTables: Bool, _ connection: PostgresConnection) throws(PostgresError) {
        let row = try connection.query(
            """
            SELECT current_schema(), current_user::text, has_schema_privilege(current_schema(), 'CREATE'), quote_ident(current_schema()),
                quote_ident(current_user)
            """)[0]
        let quotedRole = try row.decode(String.self, at: 4)
        let role = try row.decode(String.self, at: 1)
        guard let schema = try row.decodeIfPresent(String.self, at: 0) else {
            lackingRights = ["there is no schema to make tables in: the role \(role) may use none of its search_path"]
            grants = ["have GRANT USAGE, CREATE ON SCHEMA … TO \(quotedRole) run for a schema of its search_path"]
            return
        }
        if makesTables, try row.decodeIfPresent(Bool.self, at: 2) != true {
            lackingRights.append("the role \(role) may not create tables in the schema \(schema)")
            grants.append("have GRANT CREATE ON SCHEMA \(try row.decode(String.self, at: 3)) TO \(quotedRole) run")
        }
        let tables = try connection.query(
            """
            SELECT relname FROM pg_class
            WHERE relname = ANY($1::text[]) AND relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND NOT pg_has_role(relowner, 'USAGE')
            ORDER BY relname LIMIT \(Self.toldMax)
            """, [.texts(SchemaColumns.all.map { $0.table })])
        var others: [String] = []
        for row in tables { others.append(try row.decode(String.self, at: 0)) }
        guard !others.isEmpty else { return }
        lackingRights.append("the role \(role) does not own \(others.joined(separator: ", "))")
        grants.append("let the role own the tables (ALTER TABLE … OWNER TO \(quotedRole))")
    }
}
