import LinuxDriver

/// How often and after which pauses a transaction is tried again that met another. A value; randomness is handed in.
package struct TransactionRetry: Sendable {
    package static let attemptsMaxDefault = 8
    /// The bounds of the pauses, in milliseconds; each is a random part of its bound.
    private static let pauseBase: Int64 = 10
    private static let pauseCap: Int64 = 1_000

    private var attemptsLeft: Int
    private var backoff = Backoff(base: pauseBase, cap: pauseCap)

    package init(attemptsMax: Int = attemptsMaxDefault) {
        precondition(attemptsMax > 0, "it is tried once at least")
        attemptsLeft = attemptsMax - 1
    }

    /// Milliseconds until the next try; nil when there is none: another kind of failure, or enough tries.
    package mutating func pause(after error: PostgresError, random: UInt64) -> Int64? {
        guard error.reason == .conflict, attemptsLeft > 0 else { return nil }
        attemptsLeft -= 1
        return backoff.next(random: random)
    }
}
