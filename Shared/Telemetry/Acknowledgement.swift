/// What the collector answers on a device's `ack` topic: which sequences of a stream it is done with.
package struct Acknowledgement: Equatable, Sendable {
    package enum Outcome: Equatable, Sendable {
        /// In the durable stores: the device may forget it.
        case committed
        /// Will never be accepted, kept in quarantine: the device may forget it, and logs the reason.
        case refused(reason: String)
    }

    /// A run of sequences with the same outcome.
    package struct Run: Equatable, Sendable {
        package let first: Sequence64
        package let count: UInt64
        package let outcome: Outcome

        package init(first: Sequence64, count: UInt64 = 1, outcome: Outcome = .committed) {
            self.first = first
            self.count = count
            self.outcome = outcome
        }

        package var last: Sequence64 { first + count - 1 }
    }

    /// The stream of a notice about a message that could not be read at all: its one run's sequence has no meaning, only the reason.
    package static let unreadableStream: StreamId = 0
    package static let runsMax = 256
    /// The bytes of a reason; longer ones are cut.
    package static let reasonBytesMax = 200
    /// The sequences of one run.
    package static let runCountMax = 1 << 20
    /// How long a pace holds after it came, in milliseconds, unless another one comes.
    package static let paceValidity: Int64 = 60_000
    /// The greatest pace that can be told, in bytes a second; who means more sets no pace.
    package static let paceMax = 1 << 30

    static let magic: [UInt8] = [0x46, 0x41]  // "FA"
    static let version: UInt8 = 1

    package var stream: StreamId
    /// How fast the device may send its backlog for now, in bytes a second: what a collector whose stores lag asks for. Nil for as fast as it likes.
    package var pace: Int?
    package var runs: [Run]

    package init(stream: StreamId, pace: Int? = nil, runs: [Run]) {
        self.stream = stream
        self.pace = pace
        self.runs = runs
    }

    /// A notice that a message on the device's topic could not be read as a batch.
    package static func unreadable(_ reason: String) -> Acknowledgement {
        Acknowledgement(stream: unreadableStream, runs: [Run(first: 1, outcome: .refused(reason: reason))])
    }

    package func encoded() -> [UInt8] {
        precondition(runs.count <= Self.runsMax, "an acknowledgement has at most runsMax runs")
        var writer = ByteWriter()
        writer.append(Self.magic)
        writer.byte(Self.version)
        writer.byte(0)  // flags: none are defined
        writer.uint64(stream)
        // 0 says that there is no limit: a pace is at least 1.
        writer.varint(UInt64(pace.map { min(max(1, $0), Self.paceMax) } ?? 0))
        writer.varint(UInt64(runs.count))
        for run in runs {
            writer.varint(run.first)
            writer.varint(run.count)
            switch run.outcome {
            case .committed: writer.byte(0)
            case .refused(let reason):
                writer.byte(1)
                writer.text(Self.cut(reason))
            }
        }
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(DecodingError) {
        guard bytes.count <= Batch.bytesMax else { throw DecodingError(.tooLarge, "ack") }
        var reader = ByteReader(bytes)
        guard try reader.take(2, "ack.magic").elementsEqual(Self.magic) else { throw DecodingError(.badMagic, "ack.magic") }
        guard try reader.byte("ack.version") == Self.version else { throw DecodingError(.unknownVersion, "ack.version") }
        guard try reader.byte("ack.flags") == 0 else { throw DecodingError(.unknownFlags, "ack.flags") }
        stream = try reader.uint64("ack.stream")
        let told = try reader.count("ack.pace", max: Self.paceMax)
        pace = told == 0 ? nil : told
        runs = []
        for _ in 0..<(try reader.count("ack.runs", max: Self.runsMax)) { runs.append(try Self.run(&reader)) }
        let covered = bytes[..<reader.index]
        guard try reader.uint32("ack.checksum") == CRC32C.checksum(covered) else { throw DecodingError(.badChecksum, "ack.checksum") }
        guard reader.isAtEnd else { throw DecodingError(.trailingBytes, "ack") }
    }

    private static func run(_ reader: inout ByteReader) throws(DecodingError) -> Run {
        let first = try reader.varint("ack.first")
        let count = try reader.count("ack.count", max: runCountMax)
        guard first >= 1, count >= 1, first <= UInt64(Int64.max) - UInt64(count) else { throw DecodingError(.badNumber, "ack.first") }
        switch try reader.byte("ack.outcome") {
        case 0: return Run(first: first, count: UInt64(count))
        case 1: return Run(first: first, count: UInt64(count), outcome: .refused(reason: try reader.text("ack.reason", max: reasonBytesMax)))
        default: throw DecodingError(.unknownKind, "ack.outcome")
        }
    }

    /// The reason's first scalars that fit `reasonBytesMax`.
    private static func cut(_ reason: String) -> String {
        guard reason.utf8.count > reasonBytesMax else { return reason }
        var text = ""
        for scalar in reason.unicodeScalars {
            guard text.utf8.count + String(Character(scalar)).utf8.count <= reasonBytesMax else { break }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}
