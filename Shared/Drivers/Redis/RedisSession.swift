import ServiceSupport

/// A connection on a thread of its own. Work on it is a closure that blocks, no longer than its time-outs.
package actor RedisSession {
    private let executor: ThreadExecutor
    private let options: RedisOptions
    private let abandoned: AbandonedConnections
    private var connection: RedisConnection?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(_ options: RedisOptions, _ abandoned: AbandonedConnections) {
        self.options = options
        self.abandoned = abandoned
        executor = ThreadExecutor(name: "redis")
    }

    /// - Parameter abandoned: where it is noted when it is ended while the server may still work at what was sent.
    package static func open(
        _ options: RedisOptions, _ abandoned: AbandonedConnections = AbandonedConnections()
    ) async throws(RedisError) -> RedisSession {
        let session = RedisSession(options, abandoned)
        try await session.connect()
        return session
    }

    /// Runs `body` on the connection's thread.
    package func run<Result: Sendable>(_ body: @Sendable (RedisConnection) throws(RedisError) -> Result) throws(RedisError) -> Result {
        guard let connection else { throw RedisError(.disconnected, operation: "use a connection", detail: "it is closed") }
        return try body(connection)
    }

    /// Whether the connection can take more work.
    package func isUsable() -> Bool { connection?.isConnected ?? false }

    /// Ends the connection.
    package func close() {
        defer { connection = nil }
        guard let connection, !connection.isUsable, let runId = connection.serverRunId, let clientId = connection.clientId else { return }
        abandoned.add(AbandonedConnection(runId: runId, clientId: clientId))
    }

    /// To the first of the nodes that are named that can be reached.
    private func connect() throws(RedisError) {
        var failures: [String] = []
        for one in options.each {
            do throws(RedisError) {
                let made = try RedisConnection(one)
                guard options.others.isEmpty || made.isOfCluster else {
                    let detail = one.place + " is no cluster's node, and only of a cluster several may be named"
                    throw RedisError(.configuration, operation: "connect", detail: detail)
                }
                connection = made
                return
            } catch {
                guard error.isOfReach, !options.others.isEmpty else { throw error }
                failures.append(error.detail)
            }
        }
        throw RedisError(.unreachable, operation: "connect", detail: failures.joined(separator: "; "))
    }
}
