import AgentBuffer
import AgentSync
import LinuxDriver
import MQTTDriver
import SimulatedFleet
import Telemetry

/// One device of the fleet: made-up samples, a real buffer, a real connection.
final class SimulatedDevice {
    /// A buffer that cannot be opened is tried again after this long, in milliseconds, as a service manager would start an agent again.
    private static let reopenDelay: Int64 = 1_000

    private(set) var ticksProduced = 0
    private(set) var samplesProduced = 0
    private(set) var batchesRefused = 0
    private(set) var isOnline = false
    private(set) var lastFailure: String?

    private let id: DeviceId
    private let path: String
    private let plan: FleetPlan
    private let loop: EventLoop
    private let clock: DeviceClock
    private let machine: SimulatedMachine
    private let truth: TruthLog?
    /// The number of the next tick, where no truth is kept.
    private var nextTick: Int64 = 0
    /// The buffer and its link; nil while the buffer cannot be opened.
    private var life: DeviceLife?
    private var ended = DeviceLife.Counts()

    init(_ id: DeviceId, number: Int, path: String, plan: FleetPlan, loop: EventLoop, clock: DeviceClock) throws {
        self.id = id
        self.path = path
        self.plan = plan
        self.loop = loop
        self.clock = clock
        machine = SimulatedMachine(seed: plan.seed, number: number, seriesCount: plan.series, isChecked: plan.truthDirectory != nil)
        truth = try plan.truthDirectory.map {
            try TruthLog(path: $0 + "/" + id.text + ".truth", seed: plan.seed, number: number, seriesCount: plan.series)
        }
        let life = try DeviceLife(id, path: path, plan: plan, loop: loop, clock: clock.clock)
        self.life = life
        ticksProduced = life.buffer.unsealedTicks
        samplesProduced = life.samplesFound
    }

    // MARK: Producing

    /// Takes a tick, now; in the past when the clock is.
    func tick() throws {
        guard let life else { return }
        let at = clock.clock.wall()
        let readings = machine.readings(at: truth?.nextTick ?? nextTick)
        nextTick += 1
        try truth?.taking(at: at, clockOffset: clock.wallOffset)
        do throws(BufferError) {
            try life.buffer.append(Tick(at: at, readings: readings))
        } catch {
            // First: who is killed in between has told of more than is known, not of less.
            life.buffer.lose(Tick(at: at, readings: readings))
            try truth?.taken(isKept: false, late: clock.clock.wall() - at)
            failed(error)
            return
        }
        try truth?.taken(isKept: true, late: clock.clock.wall() - at)
        ticksProduced += 1
        samplesProduced += readings.count
        attempt { (life) throws(BufferError) in
            try life.buffer.tellUnwritten()
            if life.buffer.isSealDue { try life.seal() }
        }
    }

    func sealIfDue() { attempt { (life) throws(BufferError) in if life.buffer.isSealDue { try life.seal() } } }

    func seal() { attempt { (life) throws(BufferError) in try life.seal() } }

    private func attempt(_ work: (DeviceLife) throws(BufferError) -> Void) {
        guard let life else { return }
        do throws(BufferError) { try work(life) } catch { failed(error) }
    }

    private func failed(_ error: BufferError) {
        lastFailure = error.description
        if error.reason == .damaged { beginAnew() }
    }

    // MARK: Lives of the buffer

    /// As the agent does with a buffer that turns out to be damaged: has it put aside, and begins with another.
    private func beginAnew() {
        guard let life, life.buffer.condemn() else { return }
        end(life)
        // Not now: the link may be in the middle of something.
        loop.after(0) { [self] in reopen() }
    }

    private func end(_ life: DeviceLife) {
        ended.add(life.counts)
        life.link.stop()
        self.life = nil
    }

    private func reopen() {
        do {
            let life = try DeviceLife(id, path: path, plan: plan, loop: loop, clock: clock.clock)
            self.life = life
            if isOnline { start(life) }
        } catch {
            lastFailure = String(describing: error)
            loop.after(Self.reopenDelay) { [self] in reopen() }
        }
    }

    // MARK: Going on and off line

    func goOnline() {
        guard !isOnline else { return }
        isOnline = true
        if let life { start(life) }
    }

    private func start(_ life: DeviceLife) {
        life.link.start { [self] report in
            switch report {
            case .refused(let run, let reason):
                batchesRefused += Int(run.count)
                lastFailure = reason
            case .failed(let text): lastFailure = text
            case .damaged(let text):
                lastFailure = text
                beginAnew()
            case .disconnected(let reason, _): lastFailure = reason
            case .unreadable(let reason): lastFailure = reason
            case .connected, .acknowledged, .unanswered, .drained: break
            }
        }
    }

    func goOffline() {
        guard isOnline else { return }
        isOnline = false
        life?.link.stop()
    }

    /// Everything taken is sealed, sent and acknowledged.
    var isDone: Bool {
        guard let life else { return false }
        return life.link.isDrained && life.buffer.unsealedTicks == 0
    }

    /// Samples that are still here.
    func samplesLeft() throws -> Int {
        guard let life else { return 0 }
        return Int(try life.buffer.status().samples) + life.buffer.unsealedSamples
    }

    var counts: DeviceLife.Counts {
        var counts = ended
        if let life { counts.add(life.counts) }
        return counts
    }
}
