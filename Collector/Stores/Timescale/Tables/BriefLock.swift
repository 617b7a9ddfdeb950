import PostgresDriver

/// A change whose lock holds up everybody who comes after it asked for it: it waits briefly, and tries again.
enum BriefLock {
    /// How long others may have to wait, try by try, in milliseconds. The last is longer than a server takes to send a vacuum away (`deadlock_timeout`).
    private static let waits = [100, 400, 1_600]

    /// Runs a statement in a transaction of its own.
    /// - Parameter prepare: before each try, without a lock.
    static func execute(
        _ statement: String, _ connection: PostgresConnection, prepare: () throws(PostgresError) -> Void = {}
    ) throws(PostgresError) {
        var failure: PostgresError?
        for wait in waits {
            try prepare()
            do throws(PostgresError) {
                return try connection.transaction { (connection) throws(PostgresError) in
                    try connection.execute("SET LOCAL lock_timeout = \(wait)")
                    try connection.execute(statement)
                }
            } catch {
                guard error.reason == .locked || error.reason == .conflict else { throw error }
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
