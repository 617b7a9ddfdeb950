/// What PostgreSQL or libpq refused: why, while what was being done, and their own words. Never a password, never a bound value.
package struct PostgresError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Closed, so that what follows from it is decided once, in `PostgresErrorReason.isTransient`.
    package let reason: PostgresErrorReason
    /// What was being done: `connect`, `prepare`, the first words of a statement, …
    package let operation: String
    /// The server's code, <https://www.postgresql.org/docs/15/errcodes-appendix.html>; nil when the server did not speak.
    package let sqlState: String?
    /// The server's or libpq's message.
    package let detail: String
    /// The constraint that a row broke.
    package let constraint: String?
    /// The row of a COPY that the server refused, from 1.
    package let copyRow: Int?

    package init(
        _ reason: PostgresErrorReason, operation: String, sqlState: String? = nil, detail: String, constraint: String? = nil, copyRow: Int? = nil
    ) {
        self.reason = reason
        self.operation = operation
        self.sqlState = sqlState
        self.detail = detail
        self.constraint = constraint
        self.copyRow = copyRow
    }

    /// Whether the same may succeed later.
    package var isTransient: Bool { reason.isTransient }

    /// A row with that key is there already: unique_violation, exclusion_violation.
    package var isDuplicateKey: Bool { sqlState == "23505" || sqlState == "23P01" }

    /// For people who use a service: without the statement, which tells them nothing. What cannot be done is said by whoever tells it.
    package var complaint: String {
        guard isOfStatement else { return description }
        if reason == .readOnly { return "the database is read-only (a standby, or default_transaction_read_only)" }
        guard let sqlState else { return detail }
        return detail + " (" + reason.rawValue + ", SQLSTATE " + sqlState + ")"
    }

    /// Statements have their key words in capitals; the other operations' words never are.
    private var isOfStatement: Bool {
        operation.split(separator: " ").contains { $0.utf8.count > 1 && $0.utf8.allSatisfy { (0x41...0x5A).contains($0) } }
    }

    package var description: String {
        let row = copyRow.map { " at row " + String($0) } ?? ""
        let code = sqlState.map { ", SQLSTATE " + $0 } ?? ""
        return "PostgreSQL cannot " + operation + row + " (" + reason.rawValue + code + "): " + detail
    }
}
