import Telemetry

/// How much of what the buffer holds, kept up to date with every change, so that nobody has to count the batches.
struct Holdings: Equatable, Sendable {
    /// What batches are the same to a buffer under pressure. The raw value is the file's.
    enum Kind: Int, Sendable {
        /// Samples as they were taken.
        case raw = 0
        /// Samples thinned to minutes, and to ten minutes or more.
        case minute = 1
        case coarse = 2
        /// Documents and events.
        case urgent = 3

        init(priority: UInt8, resolution: Int) {
            self = priority > BatchKind.samples.priority ? .urgent : resolution == 0 ? .raw : resolution < 600 ? .minute : .coarse
        }
    }

    struct Tally: Equatable, Sendable {
        var batches: Int64 = 0
        /// Of the batches themselves, without what the file adds.
        var bytes: Int64 = 0
        var samples: Int64 = 0
    }

    private(set) var tallies = [Tally](repeating: Tally(), count: 4)

    init() {}

    subscript(_ kind: Kind) -> Tally { tallies[kind.rawValue] }

    var all: Tally { tallies.reduce(into: Tally()) { $0.add($1) } }

    mutating func add(_ row: BatchRow) { tallies[row.holding.rawValue].add(row.tally) }
    mutating func remove(_ row: BatchRow) { tallies[row.holding.rawValue].remove(row.tally) }

    // MARK: In the file

    func write(to writer: inout ByteWriter) {
        for tally in tallies {
            for number in [tally.batches, tally.bytes, tally.samples] { writer.varint(UInt64(clamping: number)) }
        }
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        for index in tallies.indices {
            tallies[index] = Tally(
                batches: try Self.number(&reader, "holdings.batches"), bytes: try Self.number(&reader, "holdings.bytes"),
                samples: try Self.number(&reader, "holdings.samples"))
        }
    }

    /// What can be added up without a thought.
    private static func number(_ reader: inout ByteReader, _ field: String) throws(DecodingError) -> Int64 {
        Int64(min(try reader.varint(field), UInt64(EvictionReceipt.countMax)))
    }
}

extension Holdings.Tally {
    mutating func add(_ other: Self) {
        batches &+= other.batches
        bytes &+= other.bytes
        samples &+= other.samples
    }

    /// Never below nothing, whatever the rows of a damaged file say.
    mutating func remove(_ other: Self) {
        batches = max(0, batches &- other.batches)
        bytes = max(0, bytes &- other.bytes)
        samples = max(0, samples &- other.samples)
    }
}
