import Telemetry

/// What a fleet produced, and what of it the collector has acknowledged.
struct FleetResult {
    var devices: Int
    /// Ticks and samples that were put into buffers, an earlier run's unsent ones included.
    var ticksProduced: Int
    var samplesProduced: Int
    var samplesAcknowledged: Int
    /// Those that full buffers thinned away or dropped.
    var samplesGivenUp: Int
    var batchesSealed: UInt64
    var batchesAcknowledged: UInt64
    var batchesSent: UInt64
    var bytesSent: UInt64
    var batchesRefused: Int
    /// From the first connection to the last acknowledgement, in seconds.
    var seconds: Double

    var isComplete: Bool { samplesAcknowledged == samplesProduced && batchesRefused == 0 }

    var json: String {
        var writer = JSONWriter()
        writer.object { json in
            json.integer("devices", Int64(devices))
            json.integer("ticks_produced", Int64(ticksProduced))
            json.integer("samples_produced", Int64(samplesProduced))
            json.integer("samples_acknowledged", Int64(samplesAcknowledged))
            json.integer("samples_given_up", Int64(samplesGivenUp))
            json.integer("batches_sealed", Int64(batchesSealed))
            json.integer("batches_acknowledged", Int64(batchesAcknowledged))
            json.integer("batches_sent", Int64(batchesSent))
            json.integer("batches_refused", Int64(batchesRefused))
            json.integer("bytes_sent", Int64(bytesSent))
            json.number("seconds", seconds)
            json.bool("complete", isComplete)
        }
        return writer.text
    }

    var text: String {
        """
        devices               \(devices)
        ticks produced        \(ticksProduced)
        samples produced      \(samplesProduced)
        samples acknowledged  \(samplesAcknowledged)\(isComplete ? "" : "  <- not all of them")
        samples given up      \(samplesGivenUp)
        batches sealed        \(batchesSealed)
        batches acknowledged  \(batchesAcknowledged)
        batches sent          \(batchesSent)
        batches refused       \(batchesRefused)
        bytes sent            \(bytesSent)
        seconds               \(seconds)
        """
    }
}
