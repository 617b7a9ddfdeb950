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

    init(_ id: DeviceId, path: String, plan: FleetPlan, loop: EventLoop, clock: Clock) throws(BufferError) {
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
}
