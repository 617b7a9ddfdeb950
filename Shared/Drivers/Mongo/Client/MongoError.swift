/// What MongoDB or libmongoc refused: why, while what was being done, and their own words. Never a password, never a value of a document.
package struct MongoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Closed, so that what follows from it is decided once, in `MongoErrorReason.isTransient`.
    package let reason: MongoErrorReason
    /// What was being done: `connect`, `find in devices`, …
    package let operation: String
    /// The server's code; nil when the server did not speak.
    package let code: Int?
    /// The server's or libmongoc's message.
    package let detail: String
    /// What the server says of a failure that may be tried again, <https://www.mongodb.com/docs/v6.0/core/transactions-in-applications/>.
    package let labels: Set<String>

    package init(_ reason: MongoErrorReason, operation: String, code: Int? = nil, detail: String, labels: Set<String> = []) {
        self.reason = reason
        self.operation = operation
        self.code = code
        self.detail = detail
        self.labels = labels
    }

    /// Whether the same may succeed later.
    package var isTransient: Bool { reason.isTransient }

    /// Whether the transaction that it ended may be begun anew.
    package var isTransactionTransient: Bool { labels.contains("TransientTransactionError") }

    package var description: String {
        "MongoDB cannot " + operation + " (" + reason.rawValue + (code.map { ", code " + String($0) } ?? "") + "): " + detail
    }

    /// The same, for another reason.
    func `as`(_ reason: MongoErrorReason) -> MongoError {
        MongoError(reason, operation: operation, code: code, detail: detail, labels: labels)
    }
}
