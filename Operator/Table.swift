/// Columns as wide as what stands in them.
enum Table {
    static func show(_ titles: [String], _ rows: [[String]]) throws {
        let rows = ([titles] + rows).map { $0.map(printable) }
        let widths = titles.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = row.enumerated().map { column, text in
                column == row.count - 1 ? text : text + String(repeating: " ", count: widths[column] - text.count)
            }
            try Results.line(cells.joined(separator: "  "))
        }
    }

    /// What devices send ends up here: nothing in it may move a terminal's cursor.
    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}
