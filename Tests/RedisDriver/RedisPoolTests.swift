import RedisDriver
import RedisFixtures
import ServiceSupport
import Testing

@Suite(.timeLimit(.minutes(5)), .enabled(if: RedisMake.redis.missing == nil, Comment(rawValue: RedisMake.redis.missing ?? "")))
struct RedisPoolTests {
    /// Runs `body` with a pool that runs, and ends it after.
    private func withPool<Value: Sendable>(
        _ options: RedisOptions, _ change: (inout PoolLimits) -> Void = { _ in }, _ body: @Sendable (RedisPool) async throws -> Value
    ) async throws -> Value {
        var limits = PoolLimits()
        limits.connectionsMin = 1
        limits.connectionsMax = 3
        change(&limits)
        let pool = RedisPool(options, limits: limits)
        return try await withThrowingTaskGroup { group in
            group.addTask { await pool.run() }
            let value = try await body(pool)
            group.cancelAll()
            return value
        }
    }

    /// For what other threads and processes do; the suite's time limit ends it.
    private func wait(_ isTrue: () async throws -> Bool) async throws {
        while try await !isTrue() { try await Task.sleep(for: .milliseconds(20)) }
    }

    @Test func `many tasks share a few connections`() async throws {
        try await withPool(SharedRedis.server().options) { pool in
            let clients = try await withThrowingTaskGroup { group in
                for _ in 0..<300 { group.addTask { try await pool.pipeline([RedisCommand("PING"), RedisCommand("CLIENT ID")])[1].integer } }
                return try await group.reduce(into: Set<Int64?>()) { $0.insert($1) }
            }
            #expect((1...3).contains(clients.count) && !clients.contains(nil))
            #expect(pool.counts.waiting == 0 && pool.counts.active == 0)
        }
    }

    @Test func `a server that comes back is found again, and what was idle is replaced unseen`() async throws {
        let server = try RedisServer()
        try await withPool(server.options, { $0.reconnectCap = 200 }) { pool in
            _ = try await pool.pipeline([RedisCommand("PING")])
            server.kill()
            let error = await #expect(throws: RedisError.self) { while true { _ = try await pool.pipeline([RedisCommand("PING")]) } }
            #expect(error?.isTransient == true)
            try server.start()
            try await wait { (try? await pool.pipeline([RedisCommand("PING")])) != nil }
            #expect(pool.counts.failed > 0)
        }
    }

    @Test func `a connection on which an answer is owed is given up, and told of`() async throws {
        let server = try RedisServer()
        var options = server.options
        options.commandTimeout = .milliseconds(100)
        try await withPool(options) { pool in
            let client = try await pool.run { (connection) throws(RedisError) in
                AbandonedConnection(runId: connection.serverRunId ?? "", clientId: connection.clientId ?? 0)
            }
            server.pause()
            let error = await #expect(throws: RedisError.self) { try await pool.pipeline([RedisCommand("PING")]) }
            #expect(error?.reason == .timedOut)
            server.resume()
            try await wait { (try? await pool.pipeline([RedisCommand("PING")])) != nil }
            var told: [AbandonedConnection] = []
            try await wait {
                told += pool.takeAbandoned()
                return !told.isEmpty
            }
            #expect(told.contains(client))
            #expect(pool.takeAbandoned().isEmpty)
        }
    }

    /// Runs `body` while the only connection waits for an answer.
    private func withHeldPool(_ change: (inout PoolLimits) -> Void, _ body: @Sendable (RedisServer, RedisPool) async throws -> Void) async throws {
        let server = try RedisServer()
        try await withPool(
            server.options,
            {
                $0.connectionsMax = 1
                change(&$0)
            }
        ) { pool in
            // Making the connection may itself take longer than the time-out.
            try await wait { pool.counts.idle == 1 }
            // Whoever blocks keeps the one connection.
            let holder = Task { try await pool.pipeline([RedisCommand("BLPOP", "never", "0")]) }
            try await wait { pool.counts.active == 1 }
            try await body(server, pool)
            try server.run("RPUSH", "never", "now")
            #expect(try await holder.value[0].array?.count == 2)
        }
    }

    @Test func `a pool of which no connection has an answer refuses after its time-out, and says which server does not answer`() async throws {
        try await withHeldPool({ $0.acquireTimeout = 100 }) { server, pool in
            let error = await #expect(throws: RedisError.self) { try await pool.pipeline([RedisCommand("PING")]) }
            #expect(error?.reason == .timedOut)
            #expect(error?.detail.hasPrefix("127.0.0.1:\(server.port): no answer for ") == true, "\(error?.detail ?? "")")
        }
    }

    @Test func `a pool that too many wait for refuses at once, and says of which server`() async throws {
        try await withHeldPool({
            $0.waitersMax = 1
            $0.acquireTimeout = 240_000
        }) { server, pool in
            let waiter = Task { try await pool.pipeline([RedisCommand("PING")]) }
            try await wait { pool.counts.waiting == 1 }
            let error = await #expect(throws: RedisError.self) { try await pool.pipeline([RedisCommand("PING")]) }
            #expect(error?.reason == .poolExhausted && error?.detail == "127.0.0.1:\(server.port): 1 wait already")
            waiter.cancel()
        }
    }
}
