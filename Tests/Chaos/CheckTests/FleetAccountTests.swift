import ChaosCheck
import CollectorFixtures
import DocumentStores
import Foundation
import SimulatedFleet
import Telemetry
import Testing
import TimeSeriesStores

/// The check on real stores, and whether it sees a store that was tampered with.
@Suite struct FleetAccountTests {
    private let scratch = ScratchDirectory()
    private static let device = "chaos1-0001"

    /// A device that has delivered everything, as it leaves a run behind.
    private func deliver() async throws {
        for folder in ["store", "truth", "buffers", "damages"] {
            try FileManager.default.createDirectory(atPath: scratch.path + "/" + folder, withIntermediateDirectories: true)
        }
        let truth = try TruthLog(path: scratch.path + "/truth/\(Self.device).truth", seed: 5, number: 1, seriesCount: 8)
        let machine = SimulatedMachine(seed: 5, number: 1, seriesCount: 8, isChecked: true)
        let store = try EmbeddedTimeSeriesStore(directory: scratch.path + "/store")
        _ = try EmbeddedDocumentStore(directory: scratch.path + "/store")
        for sequence in 1...4 {
            var ticks: [Tick] = []
            for _ in 0..<25 {
                let at = SampleBatches.start + truth.nextTick * 1_000
                ticks.append(Tick(at: at, readings: machine.readings(at: truth.nextTick)))
                try truth.taking(at: at, clockOffset: 0)
                try truth.taken(isKept: true, late: 0)
            }
            let batch = SampleBatches.samples(UInt64(sequence), device: Self.device, ticks: ticks)
            #expect(try await store.commit([IncomingBatch(batch: batch, block: Block(ticks))]) == [.committed])
        }
    }

    private func account() throws -> FleetAccount {
        func folder(_ name: String) -> String { scratch.path + "/" + name }
        return try FleetAccount(
            FleetAccount.Places(store: folder("store"), truth: folder("truth"), buffers: folder("buffers"), damages: folder("damages"), agents: nil))
    }

    @Test func `a store that has everything is whole`() async throws {
        try await deliver()
        let account = try account()
        #expect(account.isWhole, "\(account.findings)")
        #expect(account.counts.stored == account.counts.produced)
    }

    @Test(arguments: Tampering.allCases)
    func `a store that was tampered with is not whole`(tampering: Tampering) async throws {
        try await deliver()
        try tampering.tamper(directory: scratch.path + "/store", device: Self.device)
        let account = try account()
        #expect(!account.isWhole)
        #expect((account.counts.lost > 0) == (tampering == .lose))
        #expect((account.counts.duplicated > 0) == (tampering == .double))
        #expect((account.counts.altered > 0) == (tampering == .alter))
    }
}
