import AgentBuffer
import AgentSync
import LinuxDriver
import Telemetry

/// What a running agent says of itself on its status socket.
package struct AgentStatus {
    var device: DeviceId
    var version: String
    var startedAt: Int64
    var isConnected: Bool
    var broker: String
    var failure: String?
    /// How often another client has taken this device's session over of late.
    var takeovers: Int64
    /// The same where the broker does not say so, but closes each connection soon.
    var likelyTakeovers: Int64
    var isClockSet: Bool
    var ticks: Int64
    var counts: DeliveryCounts
    var sync: SyncStatus
    var certificates: Int
    /// At most `certificateProblemsMax` are told, each as a path and a reason.
    var certificateProblems: [String]
    var lostTicks: Int64
    var lastFailure: String?
    var buffer: BufferStatus?
    /// Why the buffer is in memory only.
    var memoryReason: String?

    /// Problems that the status spells out; the collector has up to a hundred.
    private static let certificateProblemsMax = 10

    package var json: String {
        var writer = JSONWriter()
        writer.object { json in
            json.bool("running", true)
            json.string("device", device.text)
            json.string("version", version)
            json.string("started_at", Timestamp.text(startedAt))
            json.bool("connected", isConnected)
            json.string("broker", broker)
            if let failure { json.string("not_connected_because", failure) }
            json.integer("session_taken_over", takeovers)
            json.integer("session_probably_taken_over", likelyTakeovers)
            if sync.isUnanswered { json.string("not_acknowledged_because", "the broker takes batches, but no collector acknowledges them") }
            json.bool("clock_set", isClockSet)
            if !isClockSet { json.string("not_sealed_because", "the clock is not set; until it is, nothing new is sealed or sent") }
            json.integer("ticks", ticks)
            json.integer("batches_sent", Int64(clamping: counts.batchesSent))
            json.integer("batches_acknowledged", Int64(clamping: counts.batchesAcknowledged))
            json.integer("bytes_sent", Int64(clamping: counts.bytesSent))
            if let refusal = counts.refusal { json.string("broker_passed_nothing_on", refusal) }
            if let lastAcknowledgedAt = counts.lastAcknowledgedAt { json.string("last_acknowledged_at", Timestamp.text(lastAcknowledgedAt)) }
            json.integer("certificates", Int64(certificates))
            json.integer("certificate_problems", Int64(certificateProblems.count))
            for (index, problem) in certificateProblems.prefix(Self.certificateProblemsMax).enumerated() {
                json.string("certificate_problem_" + String(index + 1), problem)
            }
            json.integer("ticks_lost", lostTicks)
            if let lastFailure { json.string("last_failure", lastFailure) }
            sync.write(into: &json)
            if let buffer { Self.write(buffer, memoryReason, into: &json) }
        }
        return writer.text
    }

    /// What can be told of an agent that does not run: its buffer.
    package static func stoppedJSON(device: DeviceId?, buffer: BufferStatus?) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.bool("running", false)
            if let device { json.string("device", device.text) }
            if let buffer { write(buffer, nil, into: &json) }
        }
        return writer.text
    }

    private static func write(_ buffer: BufferStatus, _ memoryReason: String?, into json: inout JSONWriter) {
        json.object("buffer") { json in
            json.bool("in_memory", memoryReason != nil)
            if let memoryReason { json.string("in_memory_because", memoryReason) }
            json.string("stream", String(buffer.stream, radix: 16))
            json.integer("newest_sequence", Int64(clamping: buffer.newestSequence))
            json.integer("unacknowledged_batches", buffer.batches)
            json.integer("unacknowledged_bytes", buffer.batchBytes)
            json.integer("unsealed_ticks", buffer.unsealedTicks)
            json.integer("used_bytes", buffer.usedBytes)
            if let oldest = buffer.oldestAt { json.string("oldest_at", Timestamp.text(oldest)) }
        }
    }
}
