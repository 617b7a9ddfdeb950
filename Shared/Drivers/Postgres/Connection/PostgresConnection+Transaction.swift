import CPostgres

/// How far a transaction is kept from others.
package enum PostgresIsolation: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
    /// One view of everything, for reading.
    case snapshot = "REPEATABLE READ, READ ONLY"
}

extension PostgresConnection {
    /// Runs `body` between BEGIN and COMMIT; rolls back when it throws. Not to be nested.
    package func transaction<Result>(
        _ isolation: PostgresIsolation = .readCommitted, _ body: (PostgresConnection) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        guard !isInTransaction else { throw PostgresError(.statement, operation: "begin", detail: "a transaction is open already") }
        try execute("BEGIN ISOLATION LEVEL " + isolation.rawValue)
        let result: Result
        do throws(PostgresError) { result = try body(self) } catch {
            rollBack()
            throw error
        }
        try commit()
        return result
    }

    /// Never cancelled: a server that waits for a standby answers a cancel with "COMMIT" and a warning, though what it has committed "might not have
    /// been replicated to the standby" (syncrep.c), and would be lost with it.
    private func commit() throws(PostgresError) {
        do throws(PostgresError) {
            _ = takeWarning()
            let tag = try exchange("commit", mayCancel: false) { () throws(PostgresError) in
                guard PQsendQuery(handle, "COMMIT") == 1 else { throw disconnected("commit") }
                return try lastResult("commit").commandTag
            }
            // "If the current transaction block has failed, COMMIT will do a ROLLBACK": when `body` has kept an error to itself.
            guard tag == "COMMIT" else {
                throw PostgresError(.transactionAborted, operation: "commit", detail: "a statement has failed before; all is rolled back")
            }
            // Someone else may have cancelled it.
            if let warning = takeWarning() {
                throw PostgresError(.outcomeUnknown, operation: "commit", sqlState: warning.sqlState, detail: warning.message)
            }
        } catch {
            rollBack()
            // The server may have committed before the connection went.
            switch error.reason {
            case .disconnected,
                .timedOut where error.sqlState == nil:
                throw error.as(.outcomeUnknown)
            case .cancelled where error.sqlState == nil && PQtransactionStatus(handle) != PQTRANS_IDLE: throw error.as(.outcomeUnknown)
            default: throw error
            }
        }
    }

    /// A connection that cannot even roll back is of no use any more.
    private func rollBack() {
        guard isInTransaction else { return }
        let kept = interrupt
        // Nobody wants the answer, but the connection has to be clean for the next.
        interrupt = nil
        defer { interrupt = kept }
        do throws(PostgresError) { try execute("ROLLBACK") } catch { giveUp() }
    }
}
