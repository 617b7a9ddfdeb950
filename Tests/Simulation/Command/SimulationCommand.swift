import ArgumentParser
import DeliverySimulation

/// farwatch-simulation: many seeds, built for release. `Tests/Simulation/run` starts it.
@main
struct SimulationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "farwatch-simulation",
        abstract: "Simulates devices, a broker and collectors under seeded faults, and checks that nothing is lost, doubled or late.",
        discussion: "Exit codes: 0 all seeds are well, 1 some are not; each of those is printed with what is wrong.")

    /// Seeds that fail before a run ends early: more would say no more.
    private static let failuresMax = 10

    @Option(help: "The first seed.") var seed: UInt64 = 1
    @Option(help: "How many seeds.") var seeds: UInt64 = 3_000
    @Option(help: "How many at a time.") var jobs = 2
    @Option(help: "Switch a deliberate bug on: \(Canary.allCases.map(\.rawValue).joined(separator: ", ")).") var canary: String?
    @Flag(help: "Print what happened in seeds that fail.") var trace = false

    func validate() throws {
        guard seeds >= 1, (1...64).contains(jobs) else { throw ValidationError("--seeds takes 1 or more, --jobs 1 to 64.") }
        if let canary, Canary(rawValue: canary) == nil { throw ValidationError("there is no deliberate bug \"\(canary)\".") }
    }

    func run() async throws {
        let run = SeedRun(first: seed, count: seeds, canary: canary.flatMap(Canary.init), isTraced: trace, failuresMax: Self.failuresMax)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<jobs { group.addTask { try await run.work() } }
            try await group.waitForAll()
        }
        print(run.summary)
        if run.hasFailed { throw ExitCode(1) }
    }
}
