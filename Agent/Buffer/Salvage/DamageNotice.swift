import LinuxDriver
import Telemetry

/// That a damaged file was put aside, and what came of it: for the log, and for the event `damaged_buffer`.
package struct DamageNotice: Equatable, Sendable {
    /// Where the damaged file is kept.
    package let kept: String
    /// What was wrong with it.
    package let reason: String
    /// Its stream and the newest sequence that is known of it; nil when nothing of either could be read.
    package internal(set) var stream: StreamId?
    package internal(set) var newestSequence: Sequence64?
    /// What was taken over from it.
    package internal(set) var salvagedBatches: Int64 = 0
    package internal(set) var salvagedTicks: Int64 = 0

    /// Of files before this one, whose event is not written either.
    package private(set) var earlier: [DamageNotice] = []

    /// So many are told of together; of more than that the oldest are not.
    static let earlierMax = 4
    private static let textBytesMax = 4_096

    init(kept: String, reason: String) {
        self.kept = kept
        self.reason = reason.utf8.count <= Self.textBytesMax ? reason : "damaged"
    }

    /// This one, and all it carries.
    var all: [DamageNotice] { earlier + [self] }

    /// Carries another one, and what that carries.
    mutating func add(_ other: DamageNotice) {
        earlier = (other.all + earlier).suffix(Self.earlierMax)
        for index in earlier.indices { earlier[index].earlier = [] }
    }

    func json(at wall: Int64) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "damaged_buffer")
            json.string("at", Timestamp.text(wall))
            json.string("kept", kept)
            json.string("reason", reason)
            if let stream { json.string("stream", String(stream, radix: 16)) }
            if let newestSequence { json.integer("newest_sequence", Int64(clamping: newestSequence)) }
            json.integer("salvaged_batches", salvagedBatches)
            json.integer("salvaged_ticks", salvagedTicks)
        }
        return writer.text
    }

    // MARK: In the file

    func write(to writer: inout ByteWriter) {
        writer.varint(UInt64(earlier.count))
        for notice in earlier { notice.writeOne(to: &writer) }
        writeOne(to: &writer)
    }

    private func writeOne(to writer: inout ByteWriter) {
        writer.text(kept)
        writer.text(reason)
        writer.uint64(stream ?? 0)
        writer.varint(newestSequence.map { $0 &+ 1 } ?? 0)
        writer.signed(salvagedBatches)
        writer.signed(salvagedTicks)
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        var earlier: [DamageNotice] = []
        for _ in 0..<(try reader.count("damage.earlier", max: Self.earlierMax)) { earlier.append(try DamageNotice(one: &reader)) }
        try self.init(one: &reader)
        self.earlier = earlier
    }

    private init(one reader: inout ByteReader) throws(DecodingError) {
        kept = try reader.text("damage.kept", max: Self.textBytesMax)
        reason = try reader.text("damage.reason", max: Self.textBytesMax)
        let stream = try reader.uint64("damage.stream")
        self.stream = stream == 0 ? nil : stream
        let newest = try reader.varint("damage.newest")
        newestSequence = newest == 0 ? nil : newest - 1
        // Counted up from here.
        salvagedBatches = min(max(0, try reader.signed("damage.batches")), .max / 2)
        salvagedTicks = try reader.signed("damage.ticks")
    }
}
