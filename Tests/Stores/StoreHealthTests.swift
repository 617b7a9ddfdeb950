import CollectorFixtures
import PostgresDriver
import PostgresFixtures
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// What is read of a real server's health.
@Suite(.serialized) struct StoreHealthTests {
    private let scratch = ScratchDirectory()
    private static let day: Int64 = 86_400_000

    private func incoming(_ sequence: UInt64, from start: Int64) throws -> IncomingBatch {
        let batch = SampleBatches.samples(sequence, ticks: SampleBatches.ticks(4, from: start))
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    @Test(arguments: PostgresTier.available)
    func `tables are told by parts, bytes and the newest part that has rows`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let layout = try #require(running.store.plan).layout
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        #expect(try StoreHealth.look(layout, connection).tables.allSatisfy { $0.newestPart == nil && $0.compression == nil })
        for (sequence, days) in [(1, 0), (2, 3), (3, 1)] as [(UInt64, Int64)] {
            _ = try await running.store.commit([try incoming(sequence, from: SampleBatches.start + days * Self.day)])
        }
        let tables = try StoreHealth.look(layout, connection).tables
        let samples = try #require(tables.first { $0.name == "device_metrics" })
        let newest = SampleBatches.start + 3 * Self.day
        #expect(samples.newestPart == newest - newest % Self.day && samples.parts >= 3 && samples.bytes > 0)
        #expect(tables.first { $0.name == "quantum_metrics" }?.newestPart == nil)
    }

    @Test(arguments: PostgresTier.available)
    func `the scans of an index are those of all its parts, and one that nobody reads has none`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let layout = try #require(running.store.plan).layout
        for sequence in 1...3 as ClosedRange<UInt64> {
            _ = try await running.store.commit([try incoming(sequence, from: SampleBatches.start + Int64(sequence) * 10 * Self.day)])
        }
        let connection = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        try connection.execute("SET enable_seqscan = off")
        // A table whose old parts no policy compresses meanwhile.
        for _ in 0..<5 { _ = try connection.query("SELECT * FROM sample_batches WHERE device = 1") }
        // A session's counts reach the others when it is idle, a second later at the latest, or when it ends.
        let reader = try PostgresConnection(try RunningStore.database(tier, of: scratch))
        var indexes: [StoreHealth.Index] = []
        for _ in 0..<200 {
            indexes = try StoreHealth.look(layout, reader).indexes
            if indexes.contains(where: { $0.name == "sample_batches_device" && $0.scans >= 15 }) { break }
            try connection.flushStatistics()
            try await Task.sleep(for: .milliseconds(50))
        }
        let used = try #require(indexes.first { $0.name == "sample_batches_device" })
        #expect(used.table == "sample_batches" && used.scans >= 15 && used.bytes > 0 && !used.isUnique)
        #expect(indexes.contains { $0.table == "stream_accounts" && $0.isUnique })
        #expect(indexes.first { $0.name == "quantum_metrics_certificate_id" }?.scans == 0)
        #expect(indexes.count <= 64)
    }

    @Test(arguments: PostgresTier.available)
    func `a statement that runs long is told by its first word, without what stands in it`(tier: PostgresTier) async throws {
        let running = try await RunningStore.start(tier, at: scratch)
        let layout = try #require(running.store.plan).layout
        let options = try RunningStore.database(tier, of: scratch)
        let session = try await PostgresSession.open(options)
        let sleeping = Task {
            _ = try? await session.run { (connection) throws(PostgresError) in try connection.execute("SELECT 'geheim', pg_sleep(60)") }
        }
        let connection = try PostgresConnection(options)
        var slow: [StoreHealth.SlowStatement] = []
        for _ in 0..<400 where slow.isEmpty {
            slow = try StoreHealth.look(layout, connection).slowStatements
            try await Task.sleep(for: .milliseconds(50))
        }
        sleeping.cancel()
        await sleeping.value
        await session.close()
        let found = try #require(slow.first)
        #expect(found.text.hasPrefix("SELECT by postgres") && !found.text.contains("geheim") && found.seconds >= 1 && found.calls == nil)
    }
}

extension PostgresConnection {
    /// A function that servers before 15 do not have.
    fileprivate func flushStatistics() throws(PostgresError) {
        do throws(PostgresError) { try execute("SELECT pg_stat_force_next_flush()") } catch { if error.sqlState != "42883" { throw error } }
    }
}
