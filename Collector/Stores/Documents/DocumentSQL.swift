/// The embedded make's SQL. A collection is a table of an id and a JSON body in `documents.sqlite`, with an index on `json_extract` for each
/// indexed field: <https://www.sqlite.org/expridx.html>. Names of collections and fields come from code, values are always bound.
enum DocumentSQL {
    static let file = "documents.sqlite"

    static let migrations = [
        Collection.all.map { collection in
            let table = "CREATE TABLE \(quoted(collection.name)) (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;\n"
            return table
                + collection.indexedFields.map { field in
                    "CREATE INDEX \(quoted(collection.name + "_" + field)) ON \(quoted(collection.name)) (\(extract(field)), id);\n"
                }.joined()
        }.joined()
    ]

    static func get(_ collection: Collection) -> String { "SELECT id, body FROM \(quoted(collection.name)) WHERE id = ?1" }

    static func find(_ query: DocumentQuery, _ collection: Collection) -> String {
        let order =
            switch query.order {
            case .id: "id"
            case .ascending(let field): "\(extract(field)), id"
            case .descending(let field): "\(extract(field)) DESC, id DESC"
            }
        let limit = "ORDER BY \(order) LIMIT ?\(query.conditions.count + 1)"
        return "SELECT id, body FROM \(quoted(collection.name))\(matching(query.conditions)) \(limit)"
    }

    static func count(_ conditions: [DocumentCondition], _ collection: Collection) -> String {
        "SELECT count(*) FROM \(quoted(collection.name))\(matching(conditions))"
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
        "DELETE FROM \(quoted(collection.name))\(matching(conditions))"
    }

    static func keepGreatest(by field: String, _ collection: Collection) -> String {
        let kept = "SELECT id FROM \(quoted(collection.name)) ORDER BY \(extract(field)) DESC, id DESC LIMIT -1 OFFSET ?1"
        return "DELETE FROM \(quoted(collection.name)) WHERE id IN (\(kept))"
    }

    private static func matching(_ conditions: [DocumentCondition]) -> String {
        guard !conditions.isEmpty else { return "" }
        let terms = conditions.enumerated().map { index, condition in
            let sign = condition.comparison == .equals ? "=" : "<"
            return "\(extract(condition.field)) \(sign) ?\(index + 1)"
        }
        return " WHERE " + terms.joined(separator: " AND ")
    }

    private static func extract(_ field: String, of column: String = "body") -> String {
        let isName = !field.isEmpty && field.utf8.allSatisfy { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 == 0x5F || $0 == 0x2E }
        precondition(isName, "a field's name is letters, underscores and dots")
        return "json_extract(\(column), '$.\(field)')"
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }
}
