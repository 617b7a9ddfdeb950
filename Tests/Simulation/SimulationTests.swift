import DeliverySimulation
import Foundation
import Synchronization
import Testing

/// What the environment says: the first seed, how many, and whether to tell what happened. `Tests/Simulation/run` runs thousands, built for
/// release.
private enum Plan {
    private static func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }

    static let firstSeed = number("FARWATCH_SIMULATION_SEED") ?? 1
    static let seeds = number("FARWATCH_SIMULATION_SEEDS") ?? 300
    static let isTraced = number("FARWATCH_SIMULATION_TRACE") == 1
    /// Seeds that run at the same time.
    static let workers: UInt64 = min(4, max(1, UInt64(ProcessInfo.processInfo.activeProcessorCount)))
}

struct SimulationTests {
    private func check(_ seed: UInt64, on stage: SimulationStage) async throws -> SimulationOutcome {
        let outcome = try await Simulation(seed: seed, on: stage, isTraced: Plan.isTraced).run()
        if !outcome.problems.isEmpty {
            let trace = Plan.isTraced ? "\n" + outcome.trace.joined(separator: "\n") : ""
            Issue.record(
                "seed \(seed) (Tests/Simulation/run --seed \(seed) --seeds 1 --trace):\n\(outcome.problems.prefix(10).joined(separator: "\n"))\(trace)"
            )
        }
        return outcome
    }

    @Test(arguments: 0..<Plan.workers)
    func `whatever goes wrong, nothing is lost, nothing is stored twice, and what is new is not late`(worker: UInt64) async throws {
        let stage = try SimulationStage()
        var (faults, samples, seconds, failed) = (0, Int64(0), Int64(0), 0)
        for offset in stride(from: worker, to: Plan.seeds, by: Int(Plan.workers)) {
            let outcome = try await check(Plan.firstSeed + offset, on: stage)
            faults += outcome.faults
            samples += outcome.samples
            seconds += outcome.virtualSeconds
            if !outcome.problems.isEmpty { failed += 1 }
            // A test that fails again and again says no more than one that fails a few times.
            if failed >= 5 { break }
        }
        print("simulation, part \(worker): \(faults) faults, \(samples) samples, \(seconds / 3_600) hours of virtual time")
    }

    @Test func `the same seed is the same run`() async throws {
        let stage = try SimulationStage()
        for seed in 1...5 as ClosedRange<UInt64> {
            let first = try await Simulation(seed: seed, on: stage).run()
            let second = try await Simulation(seed: seed, on: stage).run()
            #expect(first.samples == second.samples && first.steps == second.steps && first.faults == second.faults)
        }
    }

    @Test func `seeds that once failed do not fail again`() async throws {
        let stage = try SimulationStage()
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "FoundSeeds.txt")
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
            let seed = try #require(UInt64(line.prefix { $0.isNumber }), "a seed, then why: \(line)")
            _ = try await check(seed, on: stage)
        }
    }

    @Test(arguments: Canary.allCases)
    func `a deliberate bug is found within the seeds of an ordinary run`(canary: Canary) async throws {
        let stage = try SimulationStage()
        for seed in 1...Plan.seeds {
            let outcome = try await Simulation(seed: seed, canary: canary, on: stage).run()
            guard let problem = outcome.problems.first else { continue }
            print("canary \(canary): found by seed \(seed): \(problem)")
            return
        }
        Issue.record("\(canary) was not found")
    }
}
