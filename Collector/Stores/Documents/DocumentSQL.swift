/// The embedded make's SQL. A collection is a table of an id and a JSON body in `documents.sqlite`, with an index on `json_extract` for each
/// indexed field: <https://www.sqlite.org/expridx.html>. Names of collections and fields come from code, values are always bound.
enum DocumentSQL {
    static let file = "documents.sqlite"

    static let migrations = [
        [
            table("devices", indexes: ["status", "lastSeen"]), table("certificates", indexes: ["domain", "expiryDate"]),
            table("certificatePlaces", indexes: ["device", "certificate", "notAfter"]), table("certificateScans"),
            table("events", indexes: ["device", "type", "at"]),
        ].joined(),
        [
            table("certificateHistory"), index("certificateHistory", ["certificate", "to"]), index("certificateHistory", ["replacedBy", "to"]),
            index("certificateHistory", ["to"]),
        ].joined() + ["device", "issuer", "keyId", "servedOnly"].map { index("certificatePlaces", [$0, "notAfter"]) }.joined()
            + index("certificatePlaces", ["keyReuse", "keyId"]) + list("certificatePlaces", "codes") + list("certificatePlaces", "chain"),
        table("keyPlaces") + index("keyPlaces", ["device", "scan"]) + index("keyPlaces", ["keyId"]) + index("keyPlaces", ["keyReuse", "keyId"]),
    ]

    private static func table(_ name: String, indexes: [String] = []) -> String {
        "CREATE TABLE \(quoted(name)) (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;\n"
            + indexes.map { index(name, [$0]) }.joined()
    }

    private static func index(_ table: String, _ fields: [String]) -> String {
        let keys = fields.map { extract($0) }.joined(separator: ", ")
        return "CREATE INDEX \(quoted(([table] + fields).joined(separator: "_"))) ON \(quoted(table)) (\(keys), id);\n"
    }

    /// What is in lists has no index of SQLite's: it stands in a table of its own, which follows by triggers.
    private static func list(_ table: String, _ field: String) -> String {
        let (name, path) = (listName(table, field), "'$.\(field)'")
        func add(_ row: String) -> String {
            "INSERT INTO \(name) SELECT DISTINCT value, \(row).id FROM json_each(\(row).body, \(path)) WHERE type = 'text';"
        }
        let remove = "DELETE FROM \(name) WHERE id = old.id AND value IN (SELECT value FROM json_each(old.body, \(path)) WHERE type = 'text');"
        let isChanged = "json_extract(old.body, \(path)) IS NOT json_extract(new.body, \(path))"
        return """
            CREATE TABLE \(name) (value TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (value, id)) STRICT, WITHOUT ROWID;
            CREATE TRIGGER \(quoted("\(table)_\(field)_insert")) AFTER INSERT ON \(quoted(table)) BEGIN \(add("new")) END;
            CREATE TRIGGER \(quoted("\(table)_\(field)_delete")) AFTER DELETE ON \(quoted(table)) BEGIN \(remove) END;
            CREATE TRIGGER \(quoted("\(table)_\(field)_update")) AFTER UPDATE ON \(quoted(table)) WHEN \(isChanged)
                BEGIN \(remove) \(add("new")) END;
            INSERT INTO \(name) SELECT DISTINCT value, \(quoted(table)).id FROM \(quoted(table)), json_each(\(quoted(table)).body, \(path))
                WHERE type = 'text';

            """
    }

    private static func listName(_ table: String, _ field: String) -> String { quoted(table + "_" + field + "_list") }

    static func get(_ collection: Collection) -> String { "SELECT id, body FROM \(quoted(collection.name)) WHERE id = ?1" }

    static func find(_ query: DocumentQuery, _ collection: Collection) -> String {
        let order =
            switch query.order {
            case .id: "id"
            case .ascending(let field): "\(extract(field)), id"
            case .descending(let field): "\(extract(field)) DESC, id DESC"
            }
        let terms = terms(query.conditions, collection) + (query.after.map { [behind($0, query.order, query.conditions.count)] } ?? [])
        // The limit is the first parameter behind the conditions and the cursor.
        let limit = "ORDER BY \(order) LIMIT ?\(query.conditions.count + (query.after == nil ? 0 : 2) + 1)"
        return "SELECT id, body FROM \(quoted(collection.name))\(matching(terms)) \(limit)"
    }

    /// What comes behind a cursor, whose field is the first parameter after `bound`, and whose id the second. Fields that are not there come first.
    private static func behind(_ cursor: DocumentCursor, _ order: DocumentQuery.Order, _ bound: Int) -> String {
        let (value, id) = ("?\(bound + 1)", "?\(bound + 2)")
        guard case .ascending(let field) = order else { return "id > \(id) AND \(value) IS NULL" }
        guard cursor.value == nil else { return "(\(extract(field)), id) > (\(value), \(id))" }
        return "(\(extract(field)) IS NOT NULL OR id > \(id)) AND \(value) IS NULL"
    }

    static func count(_ conditions: [DocumentCondition], _ collection: Collection) -> String {
        "SELECT count(*) FROM \(quoted(collection.name))\(matching(terms(conditions, collection)))"
    }

    static func upsert(_ collection: Collection) -> String {
        "INSERT INTO \(quoted(collection.name)) (id, body) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body"
    }

    static func upsertUnlessOlder(by field: String, _ collection: Collection) -> String {
        let stored = "coalesce(\(extract(field, of: quoted(collection.name) + ".body")), -9e999)"
        return upsert(collection) + " WHERE \(extract(field, of: "excluded.body")) >= \(stored)"
    }

    static func delete(_ collection: Collection) -> String { "DELETE FROM \(quoted(collection.name)) WHERE id = ?1" }

    static func deleteAll(_ conditions: [DocumentCondition], _ collection: Collection) -> String {
        "DELETE FROM \(quoted(collection.name))\(matching(terms(conditions, collection)))"
    }

    static func keepGreatest(by field: String, _ collection: Collection) -> String {
        let kept = "SELECT id FROM \(quoted(collection.name)) ORDER BY \(extract(field)) DESC, id DESC LIMIT -1 OFFSET ?1"
        return "DELETE FROM \(quoted(collection.name)) WHERE id IN (\(kept))"
    }

    private static func matching(_ terms: [String]) -> String { terms.isEmpty ? "" : " WHERE " + terms.joined(separator: " AND ") }

    private static func terms(_ conditions: [DocumentCondition], _ collection: Collection) -> [String] {
        conditions.enumerated().map { index, condition in
            let (field, value) = (extract(condition.field), "?\(index + 1)")
            switch condition.comparison {
            case .equals: return "\(field) = \(value)"
            case .less: return "\(field) < \(value)"
            case .atLeast: return "\(field) >= \(value)"
            case .contains:
                precondition(collection.lists.contains(condition.field), "only what is a list is searched by what is in it")
                return "id IN (SELECT id FROM \(listName(collection.name, condition.field)) WHERE value = \(value))"
            }
        }
    }

    private static func extract(_ field: String, of column: String = "body") -> String {
        let isName = !field.isEmpty && field.utf8.allSatisfy { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 == 0x5F || $0 == 0x2E }
        precondition(isName, "a field's name is letters, underscores and dots")
        return "json_extract(\(column), '$.\(field)')"
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }
}
