import LinuxDriver
import ServiceSupport

/// Connections that are shared. `run` makes and ends them; nothing works before it runs.
package struct PostgresPool: Sendable {
    /// How often time-outs and idle connections are looked at.
    package static let tick: Duration = .milliseconds(250)

    private let connections: ConnectionPool<PostgresSession>

    package init(_ options: PostgresOptions, limits: PoolLimits = PoolLimits()) {
        connections = ConnectionPool(limits, tick: Self.tick) { () async throws(PostgresError) in try await PostgresSession.open(options) }
    }

    /// For metrics, at any time from anywhere.
    package var counts: PoolCounts { connections.counts }

    /// Keeps the pool until the task is cancelled; then ends all connections, those that are in use when they come back.
    package func run() async { await connections.run() }

    /// Runs `body` on a connection's thread. A connection that died idle is replaced before `body` sees it. One that may only read goes: a session
    /// keeps the default that its role or database had when it began.
    package func run<Value: Sendable>(
        _ body: @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await connections.use(isKept: { $0.reason != .readOnly }) { (session) async throws(PostgresError) in try await session.run(body) }
    }

    /// Runs `body` in a transaction; the whole of it again when the server reports a conflict, after a pause without the connection.
    package func transaction<Value: Sendable>(
        _ isolation: PostgresIsolation = .readCommitted, retry: TransactionRetry = TransactionRetry(),
        _ body: @Sendable (PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        var retry = retry
        while true {
            do throws(PostgresError) {
                return try await run { (connection) throws(PostgresError) in try connection.transaction(isolation, body) }
            } catch {
                guard let pause = retry.pause(after: error, random: Random.uint64()) else { throw error }
                do { try await Task.sleep(for: .milliseconds(pause)) } catch _ {
                    throw PostgresError(.cancelled, operation: "repeat a transaction", detail: "nobody waits for it any more")
                }
            }
        }
    }
}

extension PostgresSession: PooledSession {
    package nonisolated func check() async throws(PostgresError) {
        try await run { (connection) throws(PostgresError) in try connection.check() }
    }

    package static func failure(_ refusal: PoolRefusal) -> PostgresError {
        let reason: PostgresErrorReason =
            switch refusal {
            case .cancelled: .cancelled
            case .exhausted: .poolExhausted
            case .closed: .poolClosed
            case .unreachable: .unreachable
            }
        return PostgresError(reason, operation: "take a connection", detail: refusal.detail)
    }
}
