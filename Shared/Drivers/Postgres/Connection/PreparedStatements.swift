import CPostgres

/// A statement that the server has prepared.
final class PreparedStatement {
    let name: String
    let parameterTypes: [PostgresType]

    init(name: String, parameterTypes: [PostgresType]) {
        self.name = name
        self.parameterTypes = parameterTypes
    }
}

/// The statements that a connection has prepared, by their text, the least recently used going first.
final class PreparedStatements {
    static let statementsMax = 256

    private var statements: [String: (statement: PreparedStatement, usedAt: UInt64)] = [:]
    private var uses: UInt64 = 0
    private var named: UInt64 = 0

    func find(_ sql: String) -> PreparedStatement? {
        guard let found = statements[sql]?.statement else { return nil }
        uses += 1
        statements[sql]?.usedAt = uses
        return found
    }

    func nextName() -> String {
        named += 1
        return "farwatch_" + String(named)
    }

    /// Keeps a statement; gives back the one that has to go for it.
    func insert(_ statement: PreparedStatement, for sql: String) -> PreparedStatement? {
        var evicted: PreparedStatement?
        if statements.count >= Self.statementsMax, let oldest = statements.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            evicted = statements.removeValue(forKey: oldest.key)?.statement
        }
        uses += 1
        statements[sql] = (statement, uses)
        return evicted
    }

    func remove(_ sql: String) -> PreparedStatement? { statements.removeValue(forKey: sql)?.statement }
    var count: Int { statements.count }
}
