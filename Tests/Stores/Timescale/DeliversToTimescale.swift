import CollectorFixtures
import PostgresDriver
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// Suites that have batches delivered, whatever happens to the server, and count what came of them.
protocol DeliversToTimescale {}

extension DeliversToTimescale {
    /// Commits each batch until it is taken, as the collector does.
    func deliver(_ sequences: ClosedRange<UInt64>, to store: TimescaleStore, failures: Changeable<[StoreError]>) async throws {
        for sequence in sequences {
            let batch = SampleBatches.samples(sequence, ticks: SampleBatches.ticks(4, from: SampleBatches.start + Int64(sequence) * 4_000))
            let incoming = IncomingBatch(batch: batch, block: try Block(decoding: batch.payload))
            for _ in 0..<2_000 {
                do {
                    let outcomes = try await store.commit([incoming])
                    #expect(outcomes == [.committed] || outcomes == [.duplicate])
                    break
                } catch let error as StoreError {
                    failures.change { if $0.count < 1_000 { $0.append(error) } }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }

    func expectOnce(_ batches: UInt64, in options: PostgresOptions) throws {
        let connection = try PostgresConnection(options)
        #expect(try connection.query("SELECT count(*) FROM device_metrics").value(Int.self) == 4 * Int(batches))
        #expect(try connection.query("SELECT sum(count)::int8 FROM rollups_1d").value(Int.self) == 6 * Int(batches))
        #expect(try connection.query("SELECT sum(samples)::int8 FROM devices").value(Int.self) == 6 * Int(batches))
    }

    func wait(_ what: String, until condition: () async -> Bool) async throws {
        for _ in 0..<1_200 {
            if await condition() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("waited in vain: \(what)")
    }
}
