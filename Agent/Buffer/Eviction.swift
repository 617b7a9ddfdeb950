import LinuxDriver
import Telemetry

/// What was dropped from a full buffer: the receipt that is delivered in its place, so that the fleet can tell a gap from a dead device.
struct Eviction: Equatable {
    /// Batches dropped between two looks at the size.
    static let stepBatches = 32

    private(set) var batches = 0
    private(set) var samples: Int64 = 0
    private(set) var firstSequence: Sequence64 = .max
    private(set) var lastSequence: Sequence64 = 0
    private(set) var sealedFrom: Int64 = .max
    private(set) var sealedTo: Int64 = .min

    mutating func add(sequence: Sequence64, samples: Int64, sealedAt: Int64) {
        batches += 1
        // Both come from the file: the sum wraps and the time keeps to what a timestamp can write, rather than trap.
        self.samples &+= samples
        let sealedAt = min(max(sealedAt, 0), TickTime.wallMax)
        firstSequence = min(firstSequence, sequence)
        lastSequence = max(lastSequence, sequence)
        sealedFrom = min(sealedFrom, sealedAt)
        sealedTo = max(sealedTo, sealedAt)
    }

    mutating func add(_ other: Eviction) {
        guard other.batches > 0 else { return }
        batches += other.batches
        samples &+= other.samples
        firstSequence = min(firstSequence, other.firstSequence)
        lastSequence = max(lastSequence, other.lastSequence)
        sealedFrom = min(sealedFrom, other.sealedFrom)
        sealedTo = max(sealedTo, other.sealedTo)
    }

    func json(at wall: Int64) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "eviction")
            json.string("at", Timestamp.text(wall))
            json.integer("batches", Int64(batches))
            json.integer("samples", samples)
            json.integer("first_sequence", Int64(clamping: firstSequence))
            json.integer("last_sequence", Int64(clamping: lastSequence))
            json.string("sealed_from", Timestamp.text(sealedFrom))
            json.string("sealed_to", Timestamp.text(sealedTo))
        }
        return writer.text
    }
}
