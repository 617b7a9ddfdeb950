import CollectorFixtures
import Foundation
import PostgresDriver
import PostgresFixtures
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// A server that is set back to an earlier state, as by a restore, or by a failover that lost what was last.
@Suite(.serialized) struct TimescaleRestoreTests {
    private func incoming(_ sequence: Sequence64, _ device: String, _ metric: String) throws -> IncomingBatch {
        let tick = Tick(at: SampleBatches.start + Int64(sequence) * 1_000, readings: [Reading(Series(metric), Double(sequence))])
        let batch = SampleBatches.samples(sequence, device: device, ticks: [tick])
        return IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
    }

    private func values(_ device: String, _ store: TimescaleStore) async throws -> [String: [Double]] {
        let query = RangeQuery(
            device: SampleBatches.device(device), from: SampleBatches.start, to: SampleBatches.start + 60_000, step: 1_000)
        return Dictionary(uniqueKeysWithValues: try await store.range(query).map { ($0.series.metric, $0.points.map { $0.mean }) })
    }

    @Test func `samples go under their own series on a server that was set back while nobody wrote`() async throws {
        let server = try PostgresServer(.plain)
        let options = try server.makeDatabase()
        let running = try await RunningStore.start(options)
        _ = try await running.store.commit([try incoming(1, "one", "first")])
        _ = try await running.store.commit([try incoming(1, "other", "first")])
        server.kill()
        let data = server.directory + "/data"
        try copy(data, to: data + ".before")
        try server.start()
        for device in ["one", "other"] { _ = try await commit(try incoming(2, device, "before_" + device), to: running.store) }
        server.kill()
        try FileManager.default.moveItem(atPath: data, toPath: data + ".after")
        try FileManager.default.moveItem(atPath: data + ".before", toPath: data)
        try server.start()
        // New series again, in another order: each gets the number that the other had.
        let other = try await RunningStore.start(options)
        for device in ["other", "one"] { _ = try await other.store.commit([try incoming(3, device, "after_" + device)]) }
        for device in ["one", "other"] { #expect(try await commit(try incoming(4, device, "before_" + device), to: running.store) == [.committed]) }
        for device in ["one", "other"] {
            #expect(try await values(device, running.store) == ["first": [1], "after_" + device: [3], "before_" + device: [4]])
        }
    }

    /// A server that was just started may need a moment, and so may who waits for it.
    private func commit(_ incoming: IncomingBatch, to store: TimescaleStore) async throws -> [CommitOutcome] {
        for _ in 0..<600 where store.unavailableReason != nil { try await Task.sleep(for: .milliseconds(50)) }
        return try await store.commit([incoming])
    }

    private func copy(_ path: String, to other: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["cp", "-a", path, other]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
