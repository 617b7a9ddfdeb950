import Foundation
import LinuxDriver
import Synchronization
import Telemetry
import TimeSeriesStores

/// What came of a seed.
package struct SimulationOutcome: Sendable {
    package var problems: [String]
    package var trace: [String]
    package var faults: Int
    package var samples: Int64
    package var steps: Int
    package var virtualSeconds: Int64
}

/// One seed: a fleet, a broker and collectors, in one task and in virtual time. Things go wrong for a while, then everything must drain.
package final class Simulation {
    /// Runs have devices of their own, so that many can share a store. Their names have one length, which is time on a link.
    private static let runs = Mutex(0)
    /// What a drained fleet may take at most after the last fault, in milliseconds.
    private static let drainMax: Int64 = 1_800_000
    /// When the first fault comes: after the first connections, which are promised something.
    private static let faultsBegin: Int64 = 8_000

    private let scenario: Scenario
    private let scheduler: Scheduler
    private let random: SeededRandom
    private let ledger: Ledger
    private let trace: Trace
    private let broker: SimulatedBroker
    private let store: SimulatedStore
    private var agents: [SimulatedAgent] = []
    private var collectors: [SimulatedCollector] = []
    private let directory: String
    private var faults = 0
    private let canary: Canary?

    package init(seed: UInt64, canary: Canary? = nil, on stage: SimulationStage, isTraced: Bool = false) throws {
        random = SeededRandom(seed)
        scenario = Scenario(random.fork())
        scheduler = Scheduler(random: random.fork())
        trace = Trace(scheduler.time, isKept: isTraced)
        ledger = Ledger(seed: seed, channels: scenario.channels, time: scheduler.time)
        self.canary = canary
        broker = SimulatedBroker(scheduler, random.fork(), scenario, trace) { [ledger] in ledger.disturbed(for: 0) }
        let run = Self.runs.withLock {
            $0 += 1; return $0
        }
        directory = stage.directory + "/run-\(run)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let second = canary == .keepsTwoAccounts ? stage.separate : stage.stores[1]
        let handles = [stage.stores[0], second].map { [ledger, scheduler] in
            SimulatedStore($0, ledger: ledger, time: scheduler.time, canary: canary)
        }
        store = handles[0]
        for number in 0..<(canary == .keepsTwoAccounts ? 2 : scenario.collectors) {
            collectors.append(
                SimulatedCollector(
                    "collector-\(number)", scheduler, random.fork(), scenario, broker: broker, store: handles[number], trace: trace,
                    canary: canary))
        }
        for number in 0..<scenario.agents {
            agents.append(
                SimulatedAgent(
                    DeviceId("r\(1_000_000 + run)-\(number)")!, path: directory + "/\(number).sqlite", scheduler, random.fork(), scenario,
                    broker: broker,
                    ledger: ledger, trace: trace, canary: canary))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    package func run() async throws -> SimulationOutcome {
        for agent in agents {
            try agent.start()
            for _ in 0..<scenario.backlogTicks {
                agent.prepare()
                await scheduler.run(until: scheduler.now + scenario.tickInterval)
            }
            for _ in 0..<scenario.backlogNotes { agent.note(bytes: Int(random.between(1_000...12_000))) }
        }
        let began = scheduler.now
        trace.note("\(scenario)")
        collectors.forEach { $0.start() }
        scheduler.after(1_000) { [self] in agents.forEach { $0.goOnline() } }
        scheduler.after(Self.faultsBegin) { [self] in await goWrong(until: began + Self.faultsBegin + scenario.faultsFor) }
        await scheduler.run(until: began + Self.faultsBegin + scenario.faultsFor)
        try await heal()
        ledger.judge(promisesLatency: scenario.promisesLatency && canary != .keepsTwoAccounts)
        if canary != .keepsTwoAccounts && canary != .writesTwice { try await compareWithStore() }
        agents.forEach { $0.end() }
        return SimulationOutcome(
            problems: ledger.problems, trace: trace.lines, faults: faults, samples: ledger.samples, steps: scheduler.steps,
            virtualSeconds: (scheduler.now - began) / 1_000)
    }

    /// Everything is as it should be from here on: what is in the devices must get into the store.
    private func heal() async throws {
        trace.note("nothing goes wrong any more")
        broker.isFaulty = false
        for collector in collectors {
            collector.isFaulty = false
            collector.isDoomed = false
        }
        agents.forEach { $0.calmDown() }
        ledger.disturbed(for: 30_000)
        await scheduler.run(until: scheduler.now + 40_000)
        for agent in agents { await agent.cutLink() }
        await scheduler.run(until: scheduler.now + 15_000)
        agents.forEach { $0.stopProducing() }
        let end = scheduler.now + Self.drainMax
        await scheduler.run(until: end) { [self] in agents.allSatisfy(\.isDrained) }
        for agent in agents where !agent.isDrained { ledger.problem("\(agent.device) did not drain") }
    }

    /// The ledger believes what the store said; the store counts for itself.
    private func compareWithStore() async throws {
        for agent in agents {
            let stored = try await store.sampleCount(of: agent.device)
            let noted = ledger.samplesCommitted(agent.device)
            if stored != noted { ledger.problem("\(agent.device): the store has \(stored) samples, it said that it wrote \(noted)") }
        }
    }

    // MARK: What goes wrong

    private func goWrong(until end: Int64) async {
        guard scheduler.now < end else { return }
        faults += 1
        await fault()
        scheduler.after(random.between(1...scenario.faultInterval)) { [self] in await goWrong(until: end) }
    }

    private func fault() async {
        let duration: Int64 = random.pick([100, 2_000, 15_000])
        ledger.disturbed(for: duration + 20_000)
        let agent = random.pick(agents)
        let collector = random.pick(collectors)
        switch random.below(10) {
        case 0: agent.kill(for: duration)
        case 1, 2: agent.killSoon(after: random.below(30))
        case 3: agent.failDisk(for: duration)
        case 4: await agent.cutLink()
        case 5: agent.stallLink(duration)
        case 6: await broker.crash(for: duration)
        case 7: collector.kill(for: duration)
        case 8: collector.isDoomed = true
        default: collector.failStore(for: duration)
        }
    }
}
