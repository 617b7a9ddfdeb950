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
    /// Ticks and samples that one tells of at most: 2⁵³, beyond which a number in JSON may not be what was written.
    package static let countMax: Int64 = 1 << 53
    /// Of the batch that carries one: it outlives documents and other events.
    static let priority: UInt8 = 30

    package let action: Action
    package let cause: Cause
    /// What is left: a tick every so many seconds; 0 when nothing is.
    package let resolution: Int
    /// At most `rangesMax`. Empty for ticks that never had a sequence.
    private var told = SequenceRanges()
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
        if let sequences { told.insert(sequences) }
        self.from = from.map(Self.writable)
        self.to = to.map(Self.writable)
        self.ticks = Self.counted(ticks)
        self.samples = Self.counted(samples)
        self.samplesLeft = Self.counted(samplesLeft)
    }

    package var sequences: [ClosedRange<Sequence64>] { told.ranges }

    // Numbers come from a file that may be damaged. A collector refuses a receipt that cannot be, and nobody would know of the others in it.

    /// What a timestamp can write.
    private static func writable(_ wall: Int64) -> Int64 { min(max(wall, 0), TickTime.wallMax) }
    private static func counted(_ number: Int64) -> Int64 { min(max(number, 0), countMax) }

    /// Takes up another receipt of the same kind; false, and unchanged, when it is of another kind or there would be too many ranges.
    package mutating func absorb(_ other: EvictionReceipt) -> Bool {
        guard action == other.action, cause == other.cause, resolution == other.resolution else { return false }
        var union = told
        for range in other.sequences { union.insert(range) }
        guard union.ranges.count <= Self.rangesMax else { return false }
        told = union
        from = Self.merged(from, other.from, min)
        to = Self.merged(to, other.to, max)
        ticks = Self.counted(ticks + other.ticks)
        samples = Self.counted(samples + other.samples)
        samplesLeft = Self.counted(samplesLeft + other.samplesLeft)
        return true
    }

    private static func merged(_ a: Int64?, _ b: Int64?, _ choose: (Int64, Int64) -> Int64) -> Int64? {
        guard let a else { return b }
        guard let b else { return a }
        return choose(a, b)
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
        told.write(to: &writer)
        // 0 says that a time is not known: nothing here is of 1970.
        for number in [from ?? 0, to ?? 0, ticks, samples, samplesLeft] { writer.signed(number) }
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        guard let action = Action(rawValue: try reader.byte("receipt.action")), let cause = Cause(rawValue: try reader.byte("receipt.cause")) else {
            throw DecodingError(.unknownKind, "receipt")
        }
        let resolution = try reader.count("receipt.resolution", max: Batch.resolutionMax)
        let told = try SequenceRanges(
            from: &reader, "receipt.sequences", rangesMax: Self.rangesMax, sequenceMax: BufferState.newestMax)
        let from = try reader.signed("receipt.from")
        let to = try reader.signed("receipt.to")
        self.init(
            action, cause: cause, resolution: resolution, from: from == 0 ? nil : from, to: to == 0 ? nil : to,
            ticks: try reader.signed("receipt.ticks"), samples: try reader.signed("receipt.samples"),
            samplesLeft: try reader.signed("receipt.samples_left"))
        self.told = told
    }
}
