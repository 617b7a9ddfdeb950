/// At which ticks a column has a value, on the wire.
enum Presence {
    /// The two bits of a column's tag.
    static let everywhere: UInt8 = 0
    /// As the last column that told it.
    static let same: UInt8 = 1
    /// The lengths of runs, by turns of ticks with a value and of ticks without.
    static let runs: UInt8 = 2
    /// A bit a tick.
    static let bitmap: UInt8 = 3

    /// The form that takes fewer bytes, and these bytes.
    static func encode(_ presence: [Bool]) -> (form: UInt8, bytes: [UInt8]) {
        let bitmapBytes = (presence.count + 7) / 8
        var writer = ByteWriter(capacity: bitmapBytes)
        var isPresent = true
        var run = 0
        for one in presence {
            if one != isPresent {
                writer.varint(UInt64(run))
                if writer.bytes.count >= bitmapBytes { return (bitmap, bits(presence)) }
                run = 0
                isPresent = one
            }
            run += 1
        }
        writer.varint(UInt64(run))
        return writer.bytes.count > bitmapBytes ? (bitmap, bits(presence)) : (runs, writer.bytes)
    }

    private static func bits(_ presence: [Bool]) -> [UInt8] {
        var bits = BitWriter()
        for isPresent in presence { bits.write(isPresent ? 1 : 0, count: 1) }
        return bits.finish()
    }

    /// At least one tick has a value.
    static func decode(_ form: UInt8, ticks: Int, from reader: inout ByteReader) throws(DecodingError) -> [Bool] {
        let presence = form == runs ? try decodeRuns(ticks, from: &reader) : try decodeBitmap(ticks, from: &reader)
        guard presence.contains(true) else { throw DecodingError(.badNumber, "block.presence") }
        return presence
    }

    private static func decodeRuns(_ ticks: Int, from reader: inout ByteReader) throws(DecodingError) -> [Bool] {
        var presence: [Bool] = []
        presence.reserveCapacity(ticks)
        var isPresent = true
        while presence.count < ticks {
            let run = try reader.count("block.presence", max: ticks - presence.count)
            // Only the first may be empty, so that every run takes the end nearer.
            guard run > 0 || (presence.isEmpty && isPresent) else { throw DecodingError(.badNumber, "block.presence") }
            for _ in 0..<run { presence.append(isPresent) }
            isPresent.toggle()
        }
        return presence
    }

    private static func decodeBitmap(_ ticks: Int, from reader: inout ByteReader) throws(DecodingError) -> [Bool] {
        let bytes = try reader.take((ticks + 7) / 8, "block.presence")
        var presence: [Bool] = []
        presence.reserveCapacity(ticks)
        for tick in 0..<ticks { presence.append(bytes[bytes.startIndex + tick / 8] >> UInt8(tick % 8) & 1 == 1) }
        guard ticks % 8 == 0 || bytes[bytes.endIndex - 1] >> UInt8(ticks % 8) == 0 else { throw DecodingError(.badNumber, "block.presence") }
        return presence
    }
}
