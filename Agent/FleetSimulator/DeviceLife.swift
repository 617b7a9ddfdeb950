import AgentBuffer
import AgentSync
import LinuxDriver
import MQTTDriver
import Telemetry

/// A simulated device from the opening of its buffer until that is found damaged: the buffer, and the link that empties it.
final class DeviceLife {
    struct Counts {
        var batchesSealed: UInt64 = 0
        var batchesAcknowledged: UInt64 = 0
        var batchesSent: UInt64 = 0
        var bytesSent: UInt64 = 0
        /// Samples that the buffer thinned away or dropped.
        var samplesGivenUp: Int64 = 0

        mutating func add(_ other: Counts) {
            batchesSealed += other.batchesSealed
            batchesAcknowledged += other.batchesAcknowledged
            batchesSent += other.batchesSent
            bytesSent += other.bytesSent
            samplesGivenUp += other.samplesGivenUp
        }
    }

    let buffer: Buffer
    let link: DeviceLink
    /// Samples that an earlier run left in the buffer.
    let samplesFound: Int
    private let sealedAndDoneBefore: UInt64
    private let clock: Clock
    private var untold: EvictionReceipt?

    init(_ id: DeviceId, path: String, plan: FleetPlan, loop: EventLoop, clock: Clock) throws(BufferError) {
        self.clock = clock
        var limits = BufferLimits()
        limits.bytesMax = plan.bufferBytes
        // Thousands of devices on one disk: there is no room to hold for each.
        limits.reserveBytes = 0
        limits.sealTicksMax = plan.sealTicks
        limits.sealAgeMax = plan.sealAge
        limits.sealSamplesMax = max(plan.sealTicks * plan.series, limits.sealSamplesMax)
        buffer = try Buffer(path: path, device: id, limits: limits, clock: clock)
        let left = try buffer.status()
        samplesFound = Int(left.samples) + buffer.unsealedSamples
        sealedAndDoneBefore = buffer.newestSequence - UInt64(left.batches)
        link = DeviceLink(buffer: buffer, broker: MQTTOptions(host: plan.broker, port: plan.port, clientId: ""), on: loop, clock: clock)
    }

    func seal() throws(BufferError) { if let sequence = try buffer.seal(goingOut: link.isConnected) { link.sealed(sequence) } }

    /// Batches sealed in this life, those that an earlier run left behind among them.
    var counts: Counts {
        Counts(
            batchesSealed: buffer.newestSequence - sealedAndDoneBefore, batchesAcknowledged: link.batchesAcknowledged,
            batchesSent: link.batchesSent, bytesSent: link.bytesSent, samplesGivenUp: buffer.samplesGivenUp)
    }

    // MARK: Telling, as the agent does

    /// A tick that found no room.
    func lose(_ tick: Tick) {
        let at = tick.at >= Clock.plausibleWallMin ? tick.at : nil
        let lost = EvictionReceipt(.dropped, cause: .unwritten, from: at, to: at, ticks: 1, samples: Int64(tick.readings.count))
        if untold?.absorb(lost) != true { untold = lost }
    }

    /// Tells of ticks that found no room, now that there is some.
    func tellLost() throws(BufferError) {
        let wall = clock.wall()
        guard let untold, wall >= Clock.plausibleWallMin else { return }
        link.sealed(try buffer.append(.event, json: untold.json(at: wall), isReceipt: true, goingOut: link.isConnected))
        self.untold = nil
    }
}
