import PostgresDriver

/// A table of what people edit, with `id`, `version` and `changed_at`: a change says which version it was made from, and who changed an older one is told
/// instead of undoing what others did. Nobody waits for anybody while editing.
package struct VersionedTable: Sendable {
    package enum Outcome: Equatable, Sendable {
        /// It has this version now.
        case changed(version: Int64)
        /// Somebody was faster: what there is has this version.
        case outdated(version: Int64)
        /// There is no such row.
        case gone
    }

    package static let alertRules = VersionedTable(
        name: "alert_rules", columns: ["name", "expression", "for_seconds", "labels", "annotations", "is_enabled"])
    package static let dashboards = VersionedTable(name: "dashboards", columns: ["name", "definition"])

    /// How often `edit` begins anew when others were faster.
    package static let attemptsMax = 100

    let name: String
    /// Those that are edited.
    let columns: [String]

    /// Changes columns of a row that still has a version.
    /// - Parameter changes: by column; of the table's own, and not none.
    package func update(
        _ id: Int64, from version: Int64, _ changes: [String: PostgresValue], _ connection: PostgresConnection
    ) throws(PostgresError) -> Outcome {
        let changed = columns.filter { changes[$0] != nil }
        guard !changed.isEmpty, changed.count == changes.count else {
            throw PostgresError(.encoding, operation: "change " + name, detail: "these are not columns that are edited")
        }
        let assignments = changed.enumerated().map { index, column in "\(column) = $\(index + 3)" }.joined(separator: ", ")
        let rows = try connection.query(
            "UPDATE \(name) SET \(assignments), version = version + 1, changed_at = now() WHERE id = $1 AND version = $2 RETURNING version",
            [.integer(id), .integer(version)] + changed.map { changes[$0] ?? .null })
        if let version = try rows.value(Int64.self) { return .changed(version: version) }
        let now = try connection.query("SELECT version FROM \(name) WHERE id = $1", [.integer(id)]).value(Int64.self)
        return now.map { .outdated(version: $0) } ?? .gone
    }

    /// Reads a row, asks for changes to it, and begins anew when somebody else has changed it meanwhile.
    /// - Parameter change: is given the edited columns, in order; may be asked several times. None leaves the row alone.
    package func edit(
        _ id: Int64, _ connection: PostgresConnection, _ change: (PostgresRow) throws(PostgresError) -> [String: PostgresValue]
    ) throws(PostgresError) -> Outcome {
        var outcome = Outcome.gone
        for _ in 0..<Self.attemptsMax {
            let rows = try connection.query("SELECT \((columns + ["version"]).joined(separator: ", ")) FROM \(name) WHERE id = $1", [.integer(id)])
            guard let row = rows.first else { return .gone }
            let version = try row.decode(Int64.self, at: columns.count)
            let changes = try change(row)
            guard !changes.isEmpty else { return .changed(version: version) }
            outcome = try update(id, from: version, changes, connection)
            guard case .outdated = outcome else { return outcome }
        }
        return outcome
    }
}
