import CollectorFixtures
import Glibc
import PostgresDriver
import PostgresFixtures
import ServiceSupport
import Testing
import TimeSeriesStores
import TimescaleStores

/// Connections that are open, and behind which nobody is any more.
@Suite(.serialized) struct TimescaleSilenceTests: DeliversToTimescale {
    enum Death: CaseIterable {
        /// The server has ended them.
        case ended
        /// Sockets stay, and nobody answers.
        case silent
    }

    private static let rounds: UInt64 = 4
    private static let batchesOfRound: UInt64 = 20

    private func backends(_ condition: String, _ connection: PostgresConnection) throws -> [Int32] {
        let rows = try connection.query(
            """
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'farwatch' AND pid <> pg_backend_pid() AND \(condition) ORDER BY pid
            """)
        return try rows.map { try $0.decode(Int32.self, at: 0) }
    }

    /// Stops so many that are between two commands: one that held a row or more would hold up the others, too.
    private func silence(_ count: Int, of server: PostgresServer, but dead: [Int32], _ admin: PostgresConnection) async throws -> [Int32] {
        var silent: [Int32] = []
        for _ in 0..<2_000 where silent.count < count {
            guard let id = try backends("state = 'idle'", admin).first(where: { !dead.contains($0) && !silent.contains($0) }) else {
                try await Task.sleep(for: .milliseconds(5))
                continue
            }
            server.signal(SIGSTOP, to: id)
            if try backends("state = 'idle'", admin).contains(id) { silent.append(id) } else { server.signal(SIGCONT, to: id) }
        }
        return silent
    }

    @Test(arguments: PostgresTier.available, Death.allCases)
    func `a pool half of whose connections are dead goes on with the others, and nothing is lost or doubled`(
        tier: PostgresTier, death: Death
    ) async throws {
        let server = try PostgresServer(tier)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options) {
            $0.pool.connectionsMin = 4
            $0.pool.connectionsMax = 6
            $0.pool.checkInterval = 500
            // Noticed sooner than by default.
            $0.server.statementTimeout = .seconds(4)
            $0.server.grace = .seconds(1)
            $0.server.lockTimeout = .seconds(2)
        }
        let admin = try PostgresConnection(options)
        let failures = Changeable<[StoreError]>([])
        var dead: [Int32] = []
        var died = 0
        for round in 0..<Self.rounds {
            try await wait("there are connections") { (try? backends("true", admin).filter { !dead.contains($0) }.count) ?? 0 >= 4 }
            let first = round * Self.batchesOfRound + 1
            async let one: Void = deliver(first...first + Self.batchesOfRound - 1, to: running.store, failures: failures)
            async let other: Void = deliver(first...first + Self.batchesOfRound - 1, to: running.store, failures: failures)
            let living = try backends("true", admin).filter { !dead.contains($0) }
            switch death {
            case .ended:
                for id in living.prefix(living.count / 2) {
                    try admin.run("SELECT pg_terminate_backend($1)", [.integer(Int64(id))])
                    dead.append(id)
                }
            case .silent: dead += try await silence(living.count / 2, of: server, but: dead, admin)
            }
            _ = try await (one, other)
            died += dead.count
            guard death == .silent else { continue }
            // They go on, or find that nobody is there.
            for id in dead { server.signal(SIGCONT, to: id) }
            dead = []
        }
        #expect(died >= 2 * Int(Self.rounds))
        #expect(failures.value.allSatisfy { [.unavailable, .overloaded].contains($0.reason) }, "\(failures.value)")
        try await wait("the store says that it is well") { running.store.unavailableReason == nil }
        try expectOnce(Self.rounds * Self.batchesOfRound, in: options)
    }

    @Test func `a server that stands still is told of though nothing is written, long before a statement's time is over`() async throws {
        let server = try PostgresServer(.plain)
        let told = Changeable<[String?]>([])
        let store = TimescaleStore(
            {
                var options = TimescaleOptions($0)
                options.server.statementTimeout = .seconds(100_000)
                options.server.grace = .seconds(100_000)
                return options
            }(try server.makeDatabase()))
        store.tell(availability: { reason in told.change { $0.append(reason) } })
        let task = Task { await store.run() }
        defer { task.cancel() }
        try await wait("the store is there") { store.unavailableReason == nil }
        server.stop()
        try await wait("the store says that nobody answers") { store.unavailableReason?.contains("has not answered") == true }
        server.goOn()
        try await wait("the store says that it is well") { store.unavailableReason == nil }
        #expect(told.value.count == 3 && told.value.first == .some(nil) && told.value.last == .some(nil))
    }

    @Test func `a server that stands still is told of while all of few connections wait for it`() async throws {
        let server = try PostgresServer(.plain)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options) {
            $0.pool.connectionsMin = 2
            $0.pool.connectionsMax = 2
            // What is written would not fail by itself.
            $0.server.statementTimeout = .seconds(100_000)
            $0.server.grace = .seconds(100_000)
        }
        let store = running.store
        let failures = Changeable<[StoreError]>([])
        let batches: UInt64 = 60
        async let one: Void = deliver(1...batches, to: store, failures: failures)
        async let other: Void = deliver(1...batches, to: store, failures: failures)
        for _ in 0..<2 {
            server.stop()
            try await wait("the store says that nobody answers") { store.unavailableReason != nil }
            server.goOn()
            try await wait("the store says that it is well") { store.unavailableReason == nil }
        }
        _ = try await (one, other)
        try expectOnce(batches, in: options)
    }

    @Test func `a store whose server is not there says so at once`() async throws {
        let server = try PostgresServer(.plain)
        let options = try server.makeDatabase()
        server.kill()
        let store = TimescaleStore(TimescaleOptions(options))
        let told = Changeable<[String?]>([])
        store.tell(availability: { reason in told.change { $0.append(reason) } })
        let task = Task { await store.run() }
        defer { task.cancel() }
        try await wait("it is told") { told.value.first??.contains("unreachable") == true }
        try server.start()
        try await wait("it is told that the server came") { told.value.count == 2 && told.value.last == .some(nil) }
    }
}
