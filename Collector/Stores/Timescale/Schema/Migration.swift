/// A step of the schema. What was released never changes; the next one is appended.
package struct Migration: Sendable {
    package let version: Int
    package let name: String
    /// In one transaction.
    let statements: @Sendable (TableLayout) -> [String]
    /// Done part by part outside of transactions, after the statements of all migrations: a migration has either.
    let parts: [PartChange]

    init(_ version: Int, _ name: String, _ statements: @escaping @Sendable (TableLayout) -> [String]) {
        self.version = version
        self.name = name
        self.statements = statements
        parts = []
    }

    init(_ version: Int, _ name: String, parts: [PartChange]) {
        self.version = version
        self.name = name
        statements = { _ in [] }
        self.parts = parts
    }

    package static let all = [
        Migration(1, "samples, roll-ups, accounts and what stands beside them") { layout in
            Schema.samples(layout) + Schema.rollups(layout) + Schema.accounts(layout)
        },
        Migration(2, "certificates, chains and quantum identities over time") { Schema.otherMetrics($0) },
        Migration(3, "alerts and dashboards") { _ in Schema.alerts },
        Migration(4, "means over time from roll-ups") { _ in Schema.areas },
        Migration(5, "roll-ups by the names of device and metric") { _ in Schema.namedRollups },
        Migration(6, "indexes to find the samples of a time of all devices", parts: Schema.timeIndexes),
        Migration(7, "compressed rows in the order of their ids", parts: Schema.idOrders),
    ]

    package static var newest: Int { all.map { $0.version }.max() ?? 0 }

    /// It may take long where there are many samples, and is done while they are written.
    package var isByParts: Bool { !parts.isEmpty }

    /// It is done by `migrate` alone, for whoever asks for it.
    package var isByCommand: Bool { parts.contains { if case .order = $0 { true } else { false } } }

    /// Those that a schema lacks, in order. Nil when it is newer than this program.
    package static func missing(after applied: Set<Int>) -> [Migration]? {
        guard applied.allSatisfy({ $0 <= newest }) else { return nil }
        return all.filter { !applied.contains($0.version) }.sorted { $0.version < $1.version }
    }
}
