import Foundation
import PostgresDriver
import PostgresFixtures
import Testing

@Suite(.timeLimit(.minutes(5)), .enabled(if: PostgresTier.plain.missing == nil, Comment(rawValue: PostgresTier.plain.missing ?? "")))
struct InterruptionTests {
    @Test func `a statement that takes too long is ended by the server`() throws {
        var options = try SharedPostgres.server().makeDatabase()
        options.statementTimeout = .milliseconds(100)
        let connection = try PostgresConnection(options)
        let error = #expect(throws: PostgresError.self) { try connection.execute("SELECT pg_sleep(600)") }
        #expect(error?.reason == .timedOut)
        #expect(error?.sqlState == "57014")
        #expect(connection.isUsable)
        #expect(try connection.query("SELECT 1").value(Int.self) == 1)
    }

    @Test func `a pipeline may take longer than a command of it`() throws {
        var options = try SharedPostgres.server().makeDatabase()
        options.statementTimeout = .seconds(2)
        options.grace = .seconds(1)
        let connection = try PostgresConnection(options)
        #expect(try connection.pipeline([PostgresCommand](repeating: PostgresCommand("SELECT pg_sleep(0.5)"), count: 8)).count == 8)
        let late = [PostgresCommand("SELECT pg_sleep(0.1)"), PostgresCommand("SELECT pg_sleep(600)")]
        let error = #expect(throws: PostgresError.self) { try connection.pipeline(late) }
        #expect(error?.reason == .timedOut && error?.sqlState == "57014" && connection.isUsable)
    }

    @Test func `a lock that is not to be had is not waited for`() throws {
        var options = try SharedPostgres.server().makeDatabase()
        options.lockTimeout = .milliseconds(100)
        let holder = try PostgresConnection(options)
        try holder.execute("CREATE TABLE held(a int4)")
        try holder.execute("BEGIN; LOCK held")
        let error = #expect(throws: PostgresError.self) { try PostgresConnection(options).execute("SELECT * FROM held") }
        #expect(error?.reason == .locked)
    }

    @Test func `a transaction that is left alone is ended by the server`() throws {
        var options = try SharedPostgres.server().makeDatabase()
        options.idleInTransactionTimeout = .milliseconds(100)
        let connection = try PostgresConnection(options)
        try connection.execute("BEGIN")
        // Until the server has hung up.
        while connection.isConnected { usleep(20_000) }
        let error = #expect(throws: PostgresError.self) { try connection.check() }
        #expect(error?.reason == .disconnected)
    }

    @Test func `cancelling a task cancels what the server does`() async throws {
        let options = try SharedPostgres.server().makeDatabase()
        let session = try await PostgresSession.open(options)
        let watcher = try PostgresConnection(options)
        let task = Task { try await session.run { (connection) throws(PostgresError) in try connection.execute("SELECT pg_sleep(600)") } }
        let sleeping =
            "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active' AND datname = current_database()"
        while try watcher.query(sleeping).value(Int.self) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.reason == .cancelled)
        #expect(error?.sqlState == "57014")
        #expect(try watcher.query(sleeping).value(Int.self) == 0)
        #expect(try await session.run { (connection) throws(PostgresError) in try connection.query("SELECT 1").value(Int.self) } == 1)
    }

    @Test(arguments: [false, true])
    func `a server that stands still holds nobody up for longer than the grace, not even with a cancel`(isInterrupted: Bool) async throws {
        let server = try PostgresServer()
        var options = try server.options()
        options.statementTimeout = .milliseconds(isInterrupted ? 600_000 : 500)
        options.grace = .milliseconds(200)
        let session = try await PostgresSession.open(options)
        server.stop()
        let task = Task { try await session.run { (connection) throws(PostgresError) in try connection.execute("SELECT 1") } }
        if isInterrupted {
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
        }
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.reason == (isInterrupted ? .cancelled : .timedOut))
        #expect(await session.isUsable() == false)
        server.goOn()
        #expect(try server.connect().query("SELECT 1").value(Int.self) == 1)
    }

    @Test func `a cancel never hits the work after it`() async throws {
        let session = try await PostgresSession.open(try SharedPostgres.server().makeDatabase())
        var cancelled = 0
        for round in 0..<200 {
            let task = Task { try await session.run { (connection) throws(PostgresError) in try connection.execute("SELECT 1") } }
            if round % 2 == 0 { usleep(UInt32(round)) }
            task.cancel()
            if case .failure = await task.result { cancelled += 1 }
            #expect(try await session.run { (connection) throws(PostgresError) in try connection.query("SELECT 1").value(Int.self) } == 1)
        }
        #expect(cancelled > 0)
    }

    @Test func `a cancelled COPY writes nothing`() async throws {
        let options = try SharedPostgres.server().makeDatabase()
        let session = try await PostgresSession.open(options)
        try await session.run { (connection) throws(PostgresError) in try connection.execute("CREATE TABLE endless(a int8)") }
        let task = Task {
            try await session.run { (connection) throws(PostgresError) in
                try connection.copyIn("endless", columns: ["a"]) { (writer) throws(PostgresError) in
                    while true {
                        try writer.beginRow()
                        writer.integer(1)
                    }
                }
            }
        }
        let watcher = try PostgresConnection(options)
        let copying = "SELECT count(*) FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0"
        while try watcher.query(copying).value(Int.self) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let error = await #expect(throws: PostgresError.self) { try await task.value }
        #expect(error?.reason == .cancelled)
        #expect(try watcher.query("SELECT count(*) FROM endless").value(Int.self) == 0)
        #expect(await session.isUsable())
    }

    @Test func `a server that does not answer is given up`() throws {
        let server = try PostgresServer(.plain)
        var options = try server.options()
        options.statementTimeout = .milliseconds(100)
        options.grace = .milliseconds(300)
        let connection = try PostgresConnection(options)
        let process = connection.processId
        server.signal(SIGSTOP, to: process)
        defer { server.signal(SIGCONT, to: process) }
        let error = #expect(throws: PostgresError.self) { try connection.check() }
        #expect(error?.reason == .timedOut)
        #expect(error?.sqlState == nil)
        #expect(!connection.isUsable)
    }

    @Test func `a server that is killed breaks the connection, and a COMMIT of which nothing is known says so`() throws {
        let server = try PostgresServer(.plain)
        let connection = try server.connect()
        let commit = #expect(throws: PostgresError.self) {
            try connection.transaction { (connection) throws(PostgresError) in
                try connection.execute("SELECT 1")
                server.kill()
            }
        }
        #expect(commit?.reason == .outcomeUnknown)
        #expect(commit?.isTransient == true)
        let error = #expect(throws: PostgresError.self) { try connection.check() }
        #expect(error?.reason == .disconnected)
        #expect(!connection.isUsable)
    }

    @Test func `a COMMIT that its standby does not confirm is not taken for done, whoever ends the waiting`() async throws {
        let server = try PostgresServer(.plain, settings: ["synchronous_standby_names=gone"])
        let watcher = try PostgresConnection(server.options(database: "postgres", user: "postgres", "options='-c synchronous_commit=local'"))
        try watcher.execute("CREATE TABLE rows(a int4); INSERT INTO rows VALUES (1)")
        var options = try server.options()
        options.statementTimeout = .milliseconds(300)
        options.grace = .milliseconds(300)
        // The second only locks: what a repetition does that finds all written already.
        for sql in ["INSERT INTO rows VALUES (2)", "SELECT a FROM rows WHERE a = 1 FOR UPDATE"] {
            let connection = try PostgresConnection(options)
            let late = #expect(throws: PostgresError.self) {
                try connection.transaction { (connection) throws(PostgresError) in try connection.execute(sql) }
            }
            #expect(late?.reason == .outcomeUnknown)
            #expect(!connection.isUsable)
        }
        let session = try await PostgresSession.open(server.options())
        let commit = Task {
            try await session.run { (connection) throws(PostgresError) in
                try connection.transaction { (connection) throws(PostgresError) in try connection.execute("INSERT INTO rows VALUES (3)") }
            }
        }
        // The two that were given up wait on, as this one does.
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        while try watcher.query(waiting).value(Int.self) ?? 0 < 3 { try await Task.sleep(for: .milliseconds(10)) }
        try watcher.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        let cancelled = await #expect(throws: PostgresError.self) { try await commit.value }
        #expect(cancelled?.reason == .outcomeUnknown && cancelled?.sqlState == "01000")
    }

    @Test func `a failed transaction leaves nothing, even when its failure was kept secret`() throws {
        let connection = try PostgresConnection(SharedPostgres.server().makeDatabase())
        try connection.execute("CREATE TABLE rows(a int4)")
        let error = #expect(throws: PostgresError.self) {
            try connection.transaction { (connection) throws(PostgresError) in
                try connection.execute("INSERT INTO rows VALUES (1)")
                try? connection.execute("SELECT 1/0")
            }
        }
        #expect(error?.reason == .transactionAborted)
        let mine = PostgresError(.tooMuch, operation: "think", detail: "better not")
        #expect(throws: mine) {
            try connection.transaction { (connection) throws(PostgresError) in
                try connection.execute("INSERT INTO rows VALUES (1)")
                throw mine
            }
        }
        #expect(try connection.query("SELECT count(*) FROM rows").value(Int.self) == 0)
        #expect(connection.isUsable)
    }
}
