import ServiceSupport

/// Connections that are shared. `run` makes and ends them; nothing works before it runs.
package struct RedisPool: Sendable {
    /// How often time-outs and idle connections are looked at.
    package static let tick: Duration = .milliseconds(100)

    private let connections: ConnectionPool<RedisSession>
    private let abandoned: AbandonedConnections
    private let answers = LastAnswer()
    private let acquireTimeout: Int64
    private let place: String
    /// Where its connections lead to.
    package let address: RedisOptions.Address

    /// - Parameter abandoned: where connections are noted that were given up; several pools may share one.
    package init(_ options: RedisOptions, limits: PoolLimits = PoolLimits(), abandoned: AbandonedConnections = AbandonedConnections()) {
        self.abandoned = abandoned
        address = options.address
        acquireTimeout = limits.acquireTimeout
        place = options.place
        connections = ConnectionPool(limits, tick: Self.tick) { [abandoned, answers] () async throws(RedisError) in
            let session = try await RedisSession.open(options, abandoned)
            answers.came()
            return session
        }
    }

    /// For metrics, at any time from anywhere.
    package var counts: PoolCounts { connections.counts }

    /// The connections that were given up while answers were owed: what was sent on them may still be done. Told once.
    package func takeAbandoned() -> [AbandonedConnection] { abandoned.take() }

    /// Keeps the pool until the task is cancelled; then ends all connections, those that are in use when they come back.
    package func run() async { await connections.run() }

    /// Runs `body` on a connection's thread. A connection that died idle is replaced before `body` sees it.
    package func run<Value: Sendable>(_ body: @Sendable (RedisConnection) throws(RedisError) -> Value) async throws(RedisError) -> Value {
        do throws(RedisError) {
            return try await connections.use { [answers] (session) async throws(RedisError) in
                do throws(RedisError) {
                    let value = try await session.run(body)
                    answers.came()
                    return value
                } catch {
                    if error.code != nil { answers.came() }
                    throw error
                }
            }
        } catch { throw told(error) }
    }

    /// With where it was. When none of the connections came free since none of them had an answer, that is what there is to tell.
    private func told(_ error: RedisError) -> RedisError {
        let silence = answers.silence
        guard error.reason == .poolExhausted, silence >= acquireTimeout else { return error.at(place) }
        return RedisError(.timedOut, operation: error.operation, detail: "\(place): no answer for \(silence) ms; all connections wait for one")
    }

    /// Sends all commands and reads their answers.
    package func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [RedisValue] {
        try await run { (connection) throws(RedisError) in try connection.pipeline(commands) }
    }
}

extension RedisSession: PooledSession {
    package func check() throws(RedisError) { _ = try run { (connection) throws(RedisError) in try connection.run(RedisCommand("PING")) } }

    package static func failure(_ refusal: PoolRefusal) -> RedisError {
        let reason: RedisErrorReason =
            switch refusal {
            case .cancelled: .cancelled
            case .exhausted: .poolExhausted
            case .closed: .poolClosed
            case .unreachable: .unreachable
            }
        return RedisError(reason, operation: "take a connection", detail: refusal.detail)
    }
}
