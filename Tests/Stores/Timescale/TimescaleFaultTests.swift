import CollectorFixtures
import Foundation
import PostgresDriver
import PostgresFixtures
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// A server that fails, in the ways servers do: nothing is acknowledged meanwhile, and all goes on by itself, with nothing lost or doubled.
@Suite(.serialized) struct TimescaleFaultTests: DeliversToTimescale {
    @Test(arguments: PostgresTier.available)
    func `a server that crashes and comes back loses and doubles nothing`(tier: PostgresTier) async throws {
        let server = try PostgresServer(tier)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options)
        let failures = Changeable<[StoreError]>([])
        async let delivery: Void = deliver(1...300, to: running.store, failures: failures)
        for _ in 0..<3 {
            try await Task.sleep(for: .milliseconds(300))
            server.kill()
            try await wait("the store says that it is down") { running.store.unavailableReason != nil }
            await #expect { try await running.store.commit([IncomingBatch(batch: SampleBatches.document("{}", 1_000))]) } throws: { error in
                (error as? StoreError)?.reason == .unavailable
            }
            try server.start()
        }
        try await delivery
        #expect(!failures.value.isEmpty && failures.value.allSatisfy { $0.reason == .unavailable })
        try expectOnce(300, in: options)
        try await wait("the store says that it is well") { running.store.unavailableReason == nil }
    }

    @Test(arguments: PostgresTier.available)
    func `connections that are ended in the midst of writing lose and double nothing`(tier: PostgresTier) async throws {
        let server = try PostgresServer(tier)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options)
        let failures = Changeable<[StoreError]>([])
        let isOver = Changeable(false)
        async let killing = kill(12, in: options, until: isOver)
        var last: UInt64 = 0
        while !isOver.value, last < 4_000 {
            let (first, newest) = (last + 1, last + 20)
            async let one: Void = deliver(first...newest - 5, to: running.store, failures: failures)
            async let other: Void = deliver(first + 5...newest, to: running.store, failures: failures)
            _ = try await (one, other)
            last = newest
        }
        isOver.value = true
        let ended = try await killing
        #expect(ended >= 12 && !failures.value.isEmpty && failures.value.allSatisfy { $0.reason == .unavailable })
        try expectOnce(last, in: options)
    }

    /// Ends connections that have written something and have not committed it, so many; then says that it is over.
    /// - Returns: how many it ended.
    private func kill(_ count: Int, in options: PostgresOptions, until isOver: Changeable<Bool>) async throws -> Int {
        let connection = try PostgresConnection(options)
        var ended = 0
        defer { isOver.value = true }
        while ended < count, !isOver.value {
            let writing = try connection.query(
                """
                SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
                """
            ).value(Int.self)
            ended += writing ?? 0
            // Some come through before the next.
            try await Task.sleep(for: .milliseconds(writing ?? 0 > 0 ? 150 : 2))
        }
        return ended
    }

    /// As long as `FARWATCH_TEST_STOP_SECONDS` says: a minute, for one.
    private static let stopSeconds = ProcessInfo.processInfo.environment["FARWATCH_TEST_STOP_SECONDS"].flatMap(Double.init) ?? 8

    @Test(arguments: PostgresTier.available)
    func `a server that stands still under load is told, and goes on with nothing lost or doubled`(tier: PostgresTier) async throws {
        let server = try PostgresServer(tier)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options) {
            // Noticed sooner than by default.
            $0.server.statementTimeout = .seconds(2)
            $0.server.grace = .seconds(1)
            $0.server.connectTimeout = .seconds(2)
        }
        let failures = Changeable<[StoreError]>([])
        async let one: Void = deliver(1...200, to: running.store, failures: failures)
        async let other: Void = deliver(100...300, to: running.store, failures: failures)
        try await Task.sleep(for: .milliseconds(300))
        server.stop()
        let until = ContinuousClock.now + .seconds(Self.stopSeconds)
        try await wait("the store says that it is down") { running.store.unavailableReason != nil }
        while ContinuousClock.now < until { try await Task.sleep(for: .milliseconds(50)) }
        server.goOn()
        _ = try await (one, other)
        #expect(!failures.value.isEmpty && failures.value.allSatisfy { [.unavailable, .overloaded].contains($0.reason) })
        try await wait("the store says that it is well") { running.store.unavailableReason == nil }
        try expectOnce(300, in: options)
    }

    @Test func `a database that is replaced by an empty one is set up again, and written`() async throws {
        let server = try PostgresServer(.plain)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options) { _ in }
        try await deliver(1...3, to: running.store, failures: Changeable([]))
        try PostgresConnection(options).execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        let failures = Changeable<[StoreError]>([])
        try await deliver(4...9, to: running.store, failures: failures)
        #expect(!failures.value.isEmpty)
        #expect(try PostgresConnection(options).query("SELECT count(*) FROM sample_batches").value(Int.self) == 6)
    }

    @Test func `a deadlock with somebody else's transaction is tried again, and nobody hears of it`() async throws {
        // Who waits looks for a deadlock after so long, once.
        let server = try PostgresServer(.plain, settings: ["deadlock_timeout=2s"])
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options)
        func group(_ sequence: UInt64) throws -> [IncomingBatch] {
            try ["edge-1", "edge-2"].map { device in
                let batch = SampleBatches.samples(sequence, device: device, ticks: SampleBatches.ticks(4, from: SampleBatches.start + 9_000))
                return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
            }
        }
        _ = try await running.store.commit(try group(1))
        let other = try PostgresConnection(options)
        try other.execute("SET deadlock_timeout = '60s'; BEGIN; SELECT number FROM devices WHERE number = 2 FOR UPDATE")
        async let outcomes = running.store.commit(try group(2))
        let watcher = try PostgresConnection(options)
        try await wait("the commit waits for the other's row") {
            (try? watcher.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").value(Int.self)) == 1
        }
        // Now each waits for the other, until the server ends the one that looks first.
        try other.execute("SELECT number FROM devices WHERE number = 1 FOR UPDATE")
        try other.execute("COMMIT")
        #expect(try await outcomes == [.committed, .committed])
        #expect(server.log.contains("deadlock detected"))
        #expect(try await running.store.statistics().blocks == 4)
    }

    @Test func `a server that was made read-only is told, and written again when it may be`() async throws {
        let server = try PostgresServer(.plain)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options)
        try await deliver(1...2, to: running.store, failures: Changeable([]))
        let connection = try server.connect()
        try connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        try connection.execute("SELECT pg_reload_conf()")
        try await wait("the store says that it is read-only") { running.store.unavailableReason?.contains("read-only") == true }
        await #expect { try await running.store.commit([IncomingBatch(batch: SampleBatches.document("{}", 9))]) } throws: { error in
            (error as? StoreError)?.reason == .unavailable
        }
        try connection.execute("SET default_transaction_read_only = off")
        try connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
        try connection.execute("SELECT pg_reload_conf()")
        try await wait("the store says that it is well") { running.store.unavailableReason == nil }
        try await deliver(3...4, to: running.store, failures: Changeable([]))
        try expectOnce(4, in: options)
    }

    @Test func `a server that has no connection left is told, and waited for`() async throws {
        let server = try PostgresServer(.plain, settings: ["max_connections=6"])
        let options = try server.makeDatabase()
        var held: [PostgresConnection] = []
        while let connection = try? PostgresConnection(options) { held.append(connection) }
        let store = TimescaleStore(TimescaleOptions(options))
        let task = Task { await store.run() }
        defer { task.cancel() }
        try await wait("the store says why") { store.unavailableReason?.contains("too_many_connections") == true }
        held = []
        try await wait("the store is there") { store.plan != nil && store.unavailableReason == nil }
        try await deliver(1...3, to: store, failures: Changeable([]))
        try expectOnce(3, in: options)
    }

    @Test(.enabled(if: PostgresTier.plain.hasBackup, "there is no pg_basebackup"))
    func `a standby that takes the place of its primary is found at its own address, with all that was acknowledged`() async throws {
        let primary = try PostgresServer(.plain)
        try primary.connect().execute("CREATE DATABASE replicated")
        let standby = try PostgresServer(.plain, prepare: { try primary.backUp(to: $0 + "/data") })
        let admin = try primary.connect()
        try admin.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try admin.execute("SELECT pg_reload_conf()")
        try await wait("the standby has all that is committed") {
            (try? admin.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").value(Int.self)) == 1
        }
        let options = try PostgresOptions(
            "host=127.0.0.1,127.0.0.1 port=\(primary.port),\(standby.port) user=postgres dbname=replicated target_session_attrs=read-write")
        let running = try await RunningStore.start(options)
        let failures = Changeable<[StoreError]>([])
        async let delivery: Void = deliver(1...200, to: running.store, failures: failures)
        try await Task.sleep(for: .milliseconds(400))
        primary.kill()
        try await wait("the store says that it is down") { running.store.unavailableReason != nil }
        try standby.connect().execute("SELECT pg_promote()")
        try await delivery
        #expect(failures.value.allSatisfy { $0.reason == .unavailable })
        try expectOnce(200, in: try standby.options(database: "replicated"))
    }

    /// Only root may mount a small disk.
    private static let mayMount = geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/mount")

    @Test(.enabled(if: mayMount, "only root may mount a disk that is small enough to fill"))
    func `a server whose disk is full is told, and written again when it has room`() async throws {
        let disk = try SmallDisk(megabytes: 24)
        let server = try PostgresServer(.plain)
        disk.giveTo(server)
        let admin = try server.connect()
        try admin.execute("CREATE TABLESPACE small LOCATION '\(disk.path)/space'")
        try admin.execute("CREATE DATABASE crowded TABLESPACE small")
        let options = try server.options(database: "crowded")
        let running = try await RunningStore.start(options)
        try await deliver(1...2, to: running.store, failures: Changeable([]))
        let connection = try PostgresConnection(options)
        try connection.execute("CREATE TABLE ballast (bytes text)")
        try connection.execute("ALTER TABLE ballast ALTER bytes SET STORAGE EXTERNAL")
        while (try? connection.execute("INSERT INTO ballast SELECT repeat('x', 50000) FROM generate_series(1, 4)")) != nil {}
        let failures = Changeable<[StoreError]>([])
        async let delivery: Void = deliver(3...400, to: running.store, failures: failures)
        try await wait("the store says that the disk is full") { failures.value.contains { $0.reason == .full } }
        #expect(running.store.unavailableReason != nil)
        try disk.grow(megabytes: 200)
        try await delivery
        try expectOnce(400, in: options)
    }
}

/// A file system of a test's own, in memory.
private final class SmallDisk {
    let path: String

    init(megabytes: Int) throws {
        path = "/var/tmp/farwatch-disk-" + UUID().uuidString.prefix(8)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try run(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0755", "farwatch-test", path])
        try FileManager.default.createDirectory(atPath: path + "/space", withIntermediateDirectories: true)
    }

    /// To the user that the server runs as.
    func giveTo(_ server: PostgresServer) {
        var status = stat()
        stat(server.directory + "/data", &status)
        chown(path + "/space", status.st_uid, status.st_gid)
        chmod(path + "/space", 0o700)
    }

    func grow(megabytes: Int) throws { try run(["mount", "-o", "remount,size=\(megabytes)m", path]) }

    deinit {
        // The server may still hold it for a moment.
        try? run(["umount", "-l", path])
        rmdir(path)
    }

    private func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    }
}
