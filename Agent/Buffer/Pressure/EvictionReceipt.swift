import LinuxDriver
import Telemetry

/// What the device gave up, or made coarser, and why: an event that is delivered like any batch, so that the fleet can tell a gap from a dead
/// device. Its members are listed in `Shared/README.md`.
package struct EvictionReceipt: Equatable, Sendable {
    package enum Action: UInt8, Sendable {
        case thinned = 1
        case dropped = 2

        var name: String { self == .thinned ? "thinned" : "dropped" }
    }

    package enum Cause: UInt8, Sendable {
        /// The buffer is as large as it may be.
        case size = 1
        case diskFull = 2
        /// Too many ticks waited unsealed, or one whose time nobody can know.
        case pending = 3
        case damage = 4
        /// Never in the buffer: there was no way to write it.
        case unwritten = 5

        var name: String {
            switch self {
            case .size: "size"
            case .diskFull: "disk_full"
            case .pending: "pending"
            case .damage: "damage"
            case .unwritten: "unwritten"
            }
        }
    }

    package static let rangesMax = 64
    /// Of the batch that carries one: it outlives documents and other events.
    static let priority: UInt8 = 30

    package let action: Action
    package let cause: Cause
    /// What is left: a tick every so many seconds; 0 when nothing is.
    package let resolution: Int
    /// Sorted, disjoint, not touching; at most `rangesMax`. Empty for ticks that never had a sequence.
    package private(set) var sequences: [ClosedRange<Sequence64>] = []
    /// The times of the ticks: UTC, milliseconds since 1970; nil where nobody knows.
    package private(set) var from: Int64?
    package private(set) var to: Int64?
    package private(set) var ticks: Int64
    /// Samples before, and those that are left.
    package private(set) var samples: Int64
    package private(set) var samplesLeft: Int64

    package init(
        _ action: Action, cause: Cause, resolution: Int = 0, sequences: ClosedRange<Sequence64>? = nil, from: Int64? = nil, to: Int64? = nil,
        ticks: Int64, samples: Int64, samplesLeft: Int64 = 0
    ) {
        self.action = action
        self.cause = cause
        self.resolution = resolution
        if let sequences { self.sequences = [sequences] }
        self.from = from.map(Self.writable)
        self.to = to.map(Self.writable)
        self.ticks = ticks
        self.samples = samples
        self.samplesLeft = samplesLeft
    }

    /// Times come from a file that may be damaged: they keep to what a timestamp can write.
    private static func writable(_ wall: Int64) -> Int64 { min(max(wall, 0), TickTime.wallMax) }

    /// Takes up another receipt of the same kind; false, and unchanged, when it is of another kind or there would be too many ranges.
    package mutating func absorb(_ other: EvictionReceipt) -> Bool {
        guard action == other.action, cause == other.cause, resolution == other.resolution else { return false }
        let union = Self.union(sequences, other.sequences)
        guard union.count <= Self.rangesMax else { return false }
        sequences = union
        from = Self.merged(from, other.from, min)
        to = Self.merged(to, other.to, max)
        // The numbers come from the file: they wrap rather than trap.
        ticks &+= other.ticks
        samples &+= other.samples
        samplesLeft &+= other.samplesLeft
        return true
    }

    private static func merged(_ a: Int64?, _ b: Int64?, _ choose: (Int64, Int64) -> Int64) -> Int64? {
        guard let a else { return b }
        guard let b else { return a }
        return choose(a, b)
    }

    private static func union(_ a: [ClosedRange<Sequence64>], _ b: [ClosedRange<Sequence64>]) -> [ClosedRange<Sequence64>] {
        var union: [ClosedRange<Sequence64>] = []
        for range in (a + b).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = union.last, range.lowerBound <= last.upperBound &+ 1 {
                union[union.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                union.append(range)
            }
        }
        return union
    }

    /// The event, told at `wall`.
    package func json(at wall: Int64) -> String {
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "eviction_receipt")
            json.string("at", Timestamp.text(wall))
            json.string("action", action.name)
            json.string("cause", cause.name)
            json.integer("resolution", Int64(resolution))
            json.array("sequences") { json in
                for range in sequences {
                    json.array { json in
                        json.integer(nil, Int64(clamping: range.lowerBound))
                        json.integer(nil, Int64(clamping: range.upperBound))
                    }
                }
            }
            if let from { json.string("from", Timestamp.text(from)) }
            if let to { json.string("to", Timestamp.text(to)) }
            json.integer("ticks", ticks)
            json.integer("samples", samples)
            json.integer("samples_left", samplesLeft)
        }
        return writer.text
    }
}

// MARK: In the file

extension EvictionReceipt {
    func write(to writer: inout ByteWriter) {
        writer.byte(action.rawValue)
        writer.byte(cause.rawValue)
        writer.varint(UInt64(resolution))
        writer.varint(UInt64(sequences.count))
        var end: Sequence64 = 0
        for range in sequences {
            writer.varint(range.lowerBound - end)
            writer.varint(range.upperBound - range.lowerBound)
            end = range.upperBound
        }
        // 0 says that a time is not known: nothing here is of 1970.
        for number in [from ?? 0, to ?? 0, ticks, samples, samplesLeft] { writer.signed(number) }
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        guard let action = Action(rawValue: try reader.byte("receipt.action")), let cause = Cause(rawValue: try reader.byte("receipt.cause")) else {
            throw DecodingError(.unknownKind, "receipt")
        }
        let resolution = try reader.count("receipt.resolution", max: Batch.resolutionMax)
        var ranges: [ClosedRange<Sequence64>] = []
        var end: Sequence64 = 0
        for _ in 0..<(try reader.count("receipt.sequences", max: Self.rangesMax)) {
            let (lower, overflowed) = end.addingReportingOverflow(try reader.varint("receipt.first"))
            let (upper, overflowedToo) = lower.addingReportingOverflow(try reader.varint("receipt.length"))
            guard !overflowed, !overflowedToo else { throw DecodingError(.badNumber, "receipt.sequences") }
            ranges.append(lower...upper)
            end = upper
        }
        let from = try reader.signed("receipt.from")
        let to = try reader.signed("receipt.to")
        self.init(
            action, cause: cause, resolution: resolution, from: from == 0 ? nil : from, to: to == 0 ? nil : to,
            ticks: try reader.signed("receipt.ticks"), samples: try reader.signed("receipt.samples"),
            samplesLeft: try reader.signed("receipt.samples_left"))
        sequences = ranges
    }
}
