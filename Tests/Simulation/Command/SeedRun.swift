import DeliverySimulation
import Synchronization

/// Many seeds, worked off by several tasks at once.
final class SeedRun: Sendable {
    private struct Sums {
        var next: UInt64 = 0
        var seeds = 0
        var failures = 0
        var faults = 0
        var samples: Int64 = 0
        var seconds: Int64 = 0
    }

    private let first: UInt64
    private let count: UInt64
    private let canary: Canary?
    private let isTraced: Bool
    private let failuresMax: Int
    private let sums = Mutex(Sums())

    init(first: UInt64, count: UInt64, canary: Canary?, isTraced: Bool, failuresMax: Int) {
        self.first = first
        self.count = count
        self.canary = canary
        self.isTraced = isTraced
        self.failuresMax = failuresMax
    }

    var hasFailed: Bool { sums.withLock { $0.failures > 0 } }

    var summary: String {
        let sums = sums.withLock { $0 }
        return "\(sums.seeds) seeds from \(first), \(sums.failures) failed; \(sums.faults) faults, \(sums.samples) samples, "
            + "\(sums.seconds / 3_600) hours of virtual time"
    }

    /// Takes seeds until there are none left, or enough have failed.
    func work() async throws {
        let stage = try SimulationStage()
        while let seed = next() {
            let outcome = try await Simulation(seed: seed, canary: canary, on: stage, isTraced: isTraced).run()
            note(outcome)
            if !outcome.problems.isEmpty { tell(outcome, of: seed) }
        }
    }

    private func next() -> UInt64? {
        sums.withLock { sums in
            guard sums.next < count, sums.failures < failuresMax else { return nil }
            sums.next += 1
            return first + sums.next - 1
        }
    }

    private func note(_ outcome: SimulationOutcome) {
        sums.withLock { sums in
            sums.seeds += 1
            sums.failures += outcome.problems.isEmpty ? 0 : 1
            sums.faults += outcome.faults
            sums.samples += outcome.samples
            sums.seconds += outcome.virtualSeconds
        }
    }

    private func tell(_ outcome: SimulationOutcome, of seed: UInt64) {
        var text = "seed \(seed) fails (Tests/Simulation/run --seed \(seed) --seeds 1 --trace):"
        for line in outcome.problems.prefix(10) + outcome.trace { text += "\n  " + line }
        print(text)
    }
}
