import PostgresDriver
import PostgresFixtures
import ServiceSupport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)), .enabled(if: PostgresTier.plain.missing == nil, Comment(rawValue: PostgresTier.plain.missing ?? "")))
struct PoolTests {
    private func limits(_ change: (inout PoolLimits) -> Void = { _ in }) -> PoolLimits {
        var limits = PoolLimits()
        limits.connectionsMin = 1
        limits.connectionsMax = 4
        change(&limits)
        return limits
    }

    /// Runs `body` with a pool that runs, and ends it after.
    private func withPool<Value: Sendable>(
        _ options: PostgresOptions, _ limits: PoolLimits, _ body: @Sendable (PostgresPool) async throws -> Value
    ) async throws -> Value {
        let pool = PostgresPool(options, limits: limits)
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
        let options = try SharedPostgres.server().makeDatabase()
        try await withPool(options, limits()) { pool in
            let processes = try await withThrowingTaskGroup { group in
                for _ in 0..<200 { group.addTask { try await pool.run { (connection) throws(PostgresError) in connection.processId } } }
                return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
            }
            #expect((1...4).contains(processes.count))
            #expect(pool.counts.waiting == 0 && pool.counts.active == 0)
        }
    }

    @Test func `a connection that was made while its database could only be read is not used for ever`() async throws {
        let options = try SharedPostgres.server().makeDatabase()
        let owner = try PostgresConnection(options)
        let database = try owner.query("SELECT current_database()").value(String.self) ?? ""
        try owner.execute("ALTER DATABASE \(database) SET default_transaction_read_only = on")
        try await withPool(options, limits { $0.connectionsMax = 2 }) { pool in
            let write = { @Sendable () async throws(PostgresError) in
                try await pool.run { (connection) throws(PostgresError) in try connection.execute("CREATE TABLE IF NOT EXISTS written(a int4)") }
            }
            let error = await #expect(throws: PostgresError.self) { try await write() }
            #expect(error?.reason == .readOnly)
            let again = try PostgresConnection(options)
            try again.execute("SET default_transaction_read_only = off")
            try again.execute("ALTER DATABASE \(database) RESET default_transaction_read_only")
            var failures = 0
            while (try? await write()) == nil, failures < 10 { failures += 1 }
            #expect(failures <= 2)
        }
    }

    @Test func `an exhausted pool refuses after its time-out, and a cancelled waiter leaves at once`() async throws {
        let options = try SharedPostgres.server().makeDatabase()
        try await withPool(
            options,
            limits {
                $0.connectionsMax = 1; $0.acquireTimeout = 300
            }
        ) { pool in
            // Making the connection may itself take longer than the time-out.
            try await wait { pool.counts.idle == 1 }
            let isHeld = Mutex(false)
            let holder = Task {
                try await pool.run { (connection) throws(PostgresError) in
                    isHeld.withLock { $0 = true }
                    try connection.execute("SELECT pg_sleep(600)")
                }
            }
            try await wait { isHeld.withLock { $0 } }
            let late = await #expect(throws: PostgresError.self) { try await pool.run { _ in } }
            #expect(late?.reason == .poolExhausted)
            let waiter = Task { try await pool.run { _ in } }
            waiter.cancel()
            await #expect(throws: PostgresError.self) { try await waiter.value }
            holder.cancel()
            let cancelled = await #expect(throws: PostgresError.self) { try await holder.value }
            #expect(cancelled?.reason == .cancelled)
            #expect(try await pool.run { (connection) throws(PostgresError) in try connection.query("SELECT 1").value(Int.self) } == 1)
        }
    }

    @Test func `nobody sees the connections that died with a restarted server`() async throws {
        let server = try PostgresServer(.plain)
        try await withPool(try server.options(), limits { $0.connectionsMin = 4 }) { pool in
            try await wait { pool.counts.idle == 4 }
            let old = try await pool.run { (connection) throws(PostgresError) in connection.processId }
            server.kill()
            let down = await #expect(throws: PostgresError.self) {
                try await pool.run { (connection) throws(PostgresError) in try connection.check() }
            }
            #expect(down?.isTransient == true)
            try server.start()
            try await wait { (try? await pool.run { (connection) throws(PostgresError) in connection.processId }) != nil }
            for _ in 0..<20 {
                let now = try await pool.run { (connection) throws(PostgresError) in
                    try connection.check()
                    return connection.processId
                }
                #expect(now != old)
            }
        }
    }

    @Test func `a server that is not there is told at once, with its reason`() async throws {
        let options = try PostgresOptions("postgres://nobody@127.0.0.1:1/none")
        try await withPool(options, limits()) { pool in
            let error = await #expect(throws: PostgresError.self) { try await pool.run { _ in } }
            #expect(error?.reason == .unreachable)
        }
    }

    @Test func `transactions that meet are tried again until all have happened`() async throws {
        let options = try SharedPostgres.server().makeDatabase()
        try PostgresConnection(options).execute("CREATE TABLE counters(id int4 PRIMARY KEY, value int8); INSERT INTO counters VALUES (1, 0), (2, 0)")
        let tries = Counter()
        try await withPool(options, limits()) { pool in
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<10 {
                            try await pool.transaction(.serializable, retry: TransactionRetry(attemptsMax: 100)) {
                                (connection) throws(PostgresError) in
                                tries.increment()
                                let value = try connection.query("SELECT value FROM counters WHERE id = 1").value(Int64.self) ?? 0
                                try connection.run("UPDATE counters SET value = $1 WHERE id = 1", [.integer(value + 1)])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(try PostgresConnection(options).query("SELECT value FROM counters WHERE id = 1").value(Int.self) == 40)
        #expect(tries.value >= 40)
    }

    @Test func `a deadlock is tried again`() async throws {
        let options = try SharedPostgres.server().makeDatabase()
        try PostgresConnection(options).execute("CREATE TABLE pair(id int4 PRIMARY KEY, value int8); INSERT INTO pair VALUES (1, 0), (2, 0)")
        let arrived = Counter()
        let tries = Counter()
        try await withPool(options, limits()) { pool in
            try await withThrowingTaskGroup { group in
                for order in [[1, 2], [2, 1]] as [[Int64]] {
                    group.addTask {
                        try await pool.transaction { (connection) throws(PostgresError) in
                            tries.increment()
                            try connection.run("UPDATE pair SET value = value + 1 WHERE id = $1", [.integer(order[0])])
                            arrived.increment()
                            // Both hold their first row before either wants its second.
                            while arrived.value < 2 { try connection.check() }
                            try connection.run("UPDATE pair SET value = value + 1 WHERE id = $1", [.integer(order[1])])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(tries.value == 3)
        #expect(try PostgresConnection(options).query("SELECT sum(value) FROM pair").value(Int.self) == 4)
    }

    @Test func `only conflicts are tried again, and only so often`() {
        let conflict = PostgresError(.conflict, operation: "commit", sqlState: "40001", detail: "")
        var retry = TransactionRetry(attemptsMax: 3)
        #expect(retry.pause(after: PostgresError(.disconnected, operation: "commit", detail: ""), random: 5) == nil)
        #expect(retry.pause(after: conflict, random: 5) == 5)
        #expect(retry.pause(after: conflict, random: 20) == 20)
        #expect(retry.pause(after: conflict, random: 5) == nil)
    }
}

private final class Counter: Sendable {
    private let count = Atomic(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func increment() { count.add(1, ordering: .sequentiallyConsistent) }
}
