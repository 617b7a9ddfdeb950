/// What a block says of itself in its first bytes, so that it can be filed without being decoded. `Block(decoding:)` holds it to it.
package struct BlockHeader: Equatable, Sendable {
    package let ticks: Int
    package let columns: Int
    /// The values that are there.
    package let samples: Int
    /// The least timestamp: UTC, milliseconds since 1970.
    package let oldest: Int64
    /// The greatest timestamp.
    package let newest: Int64

    init(_ block: Block) {
        ticks = block.timestamps.count
        columns = block.columns.count
        samples = block.sampleCount
        var oldest = Int64.max
        var newest = Int64.min
        for timestamp in block.timestamps {
            oldest = min(oldest, timestamp)
            newest = max(newest, timestamp)
        }
        self.oldest = oldest
        self.newest = newest
    }

    /// Reads the first bytes of a block; the others may be missing.
    package init(peeking bytes: ArraySlice<UInt8>) throws(DecodingError) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader)
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        guard try reader.byte("block.format") == Block.format else { throw DecodingError(.unknownVersion, "block.format") }
        ticks = try reader.count("block.ticks", max: Block.ticksMax)
        guard ticks >= 1 else { throw DecodingError(.badNumber, "block.ticks") }
        columns = try reader.count("block.columns", max: Block.columnsMax)
        guard ticks * columns <= Block.samplesMax else { throw DecodingError(.tooLarge, "block.columns") }
        samples = try reader.count("block.samples", max: ticks * columns)
        guard samples >= columns else { throw DecodingError(.badNumber, "block.samples") }
        oldest = try reader.signed("block.oldest")
        newest = oldest &+ Int64(bitPattern: try reader.varint("block.range"))
        guard newest >= oldest else { throw DecodingError(.badNumber, "block.range") }
    }

    func write(into writer: inout ByteWriter) {
        writer.byte(Block.format)
        writer.varint(UInt64(ticks))
        writer.varint(UInt64(columns))
        writer.varint(UInt64(samples))
        writer.signed(oldest)
        writer.varint(UInt64(bitPattern: newest &- oldest))
    }

    /// The interval of steady ticks: what the timestamps' step is taken to be unless they say otherwise.
    var interval: Int64 { ticks > 1 ? Int64(bitPattern: UInt64(bitPattern: newest &- oldest) / UInt64(ticks - 1)) : 0 }
}
