import AgentBuffer
import AgentSync
import LinuxDriver
import MQTTDriver
import Telemetry

/// One device of the fleet: made-up samples, a real buffer, a real connection.
final class SimulatedDevice {
    let buffer: Buffer
    private(set) var ticksProduced = 0
    private(set) var samplesProduced = 0
    private(set) var batchesRefused = 0
    private(set) var isOnline = false
    private(set) var lastFailure: String?

    private let link: DeviceLink
    private let series: [Series]
    private var values: [Double]
    private var random: SplitMix
    private let clock = Clock.system

    /// Batches sealed in this run, and those that an earlier one left behind.
    var batchesSealed: UInt64 { buffer.newestSequence - sealedAndDoneBefore }
    private let sealedAndDoneBefore: UInt64

    init(_ id: DeviceId, path: String, plan: FleetPlan, seed: UInt64, loop: EventLoop) throws {
        var limits = BufferLimits()
        limits.bytesMax = 1 << 32
        limits.sealTicksMax = plan.sealTicks
        limits.sealAgeMax = plan.sealAge
        limits.sealSamplesMax = max(plan.sealTicks * plan.series, limits.sealSamplesMax)
        buffer = try Buffer(path: path, device: id, limits: limits)
        let left = try buffer.status()
        ticksProduced = buffer.unsealedTicks
        samplesProduced = Int(left.samples) + buffer.unsealedSamples
        sealedAndDoneBefore = buffer.newestSequence - UInt64(left.batches)
        link = DeviceLink(buffer: buffer, broker: MQTTOptions(host: plan.broker, port: plan.port, clientId: ""), on: loop)
        series = Self.series(plan.series)
        random = SplitMix(state: seed)
        values = []
        values = series.indices.map { _ in Double(random.below(1000)) / 1000 }
    }

    /// The data model's own three first, then counters and gauges such as a machine has.
    private static func series(_ count: Int) -> [Series] {
        var series = [Series("cpu_usage"), Series("memory_usage"), Series("network_latency", [Label("target", "tcp://broker.example:1883")])]
        for index in series.count..<max(series.count, count) { series.append(Series("simulated_value", [Label("channel", String(index))])) }
        return Array(series.prefix(count))
    }

    // MARK: Producing

    /// Takes a tick that happened at `at`.
    func tick(at: Int64) throws {
        var readings: [Reading] = []
        readings.reserveCapacity(series.count)
        for index in series.indices {
            let step = Double(Int64(random.below(41)) - 20) / 1000
            values[index] = (min(1, max(0, values[index] + step)) * 1000).rounded() / 1000
            readings.append(Reading(series[index], index == 2 ? (values[index] * 50).rounded() / 1000 : values[index]))
        }
        try buffer.append(Tick(at: at, readings: readings))
        ticksProduced += 1
        samplesProduced += readings.count
        if buffer.isSealDue { try seal() }
    }

    func sealIfDue() throws { if buffer.isSealDue { try seal() } }

    func seal() throws { if let sequence = try buffer.seal(goingOut: link.isConnected) { link.sealed(sequence) } }

    // MARK: Going on and off line

    func goOnline() {
        guard !isOnline else { return }
        isOnline = true
        link.start { [self] report in
            switch report {
            case .refused(let run, let reason):
                batchesRefused += Int(run.count)
                lastFailure = reason
            case .failed(let text), .damaged(let text): lastFailure = text
            case .disconnected(let reason, _): lastFailure = reason
            case .unreadable(let reason): lastFailure = reason
            case .connected, .acknowledged, .drained: break
            }
        }
    }

    func goOffline() {
        guard isOnline else { return }
        isOnline = false
        link.stop()
    }

    /// Everything taken is sealed, sent and acknowledged.
    var isDone: Bool { link.isDrained && buffer.unsealedTicks == 0 }

    var batchesSent: UInt64 { link.batchesSent }
    var batchesAcknowledged: UInt64 { link.batchesAcknowledged }
    var bytesSent: UInt64 { link.bytesSent }
}

/// The splitmix64 generator (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014): the same values for the same seed.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}
