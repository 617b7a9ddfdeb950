/// Bits being written, the least significant first.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var pendingCount = 0

    /// Appends the low `count` bits of `value`, 0…64.
    mutating func write(_ value: UInt64, count: Int) {
        if count > 32 {
            write(value & 0xFFFF_FFFF, count: 32)
            write(value >> 32, count: count - 32)
            return
        }
        guard count > 0 else { return }
        pending |= (value & ((1 << UInt64(count)) - 1)) << UInt64(pendingCount)
        pendingCount += count
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingCount -= 8
        }
    }

    /// Fills the last byte with zeros.
    mutating func finish() -> [UInt8] {
        if pendingCount > 0 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending = 0
            pendingCount = 0
        }
        return bytes
    }
}

/// Bits being read, the least significant first; reading past the end is an error.
struct BitReader {
    private let bytes: ArraySlice<UInt8>
    private(set) var index: Int
    private var pending: UInt64 = 0
    private var pendingCount = 0

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    /// The next `count` bits, 0…64.
    mutating func read(_ count: Int, _ field: @autoclosure () -> String) throws(DecodingError) -> UInt64 {
        if count > 32 {
            let low = try read(32, field())
            let high = try read(count - 32, field())
            return low | high << 32
        }
        while pendingCount < count {
            guard index < bytes.endIndex else { throw DecodingError(.truncated, field()) }
            pending |= UInt64(bytes[index]) << UInt64(pendingCount)
            index += 1
            pendingCount += 8
        }
        guard count > 0 else { return 0 }
        let value = pending & ((1 << UInt64(count)) - 1)
        pending >>= UInt64(count)
        pendingCount -= count
        return value
    }

    /// Nothing is left but the zeros that fill the last byte.
    var isAtEnd: Bool { index == bytes.endIndex && isPaddedWithZeros }

    /// The bits left in the byte that was begun are zeros, as a writer leaves them.
    var isPaddedWithZeros: Bool { pendingCount < 8 && pending == 0 }
}

/// Integers packed in groups, each group as wide as its widest zigzag value: a byte of width, then the values' bits.
enum PackedIntegers {
    static let groupCount = 32

    static func encode(_ values: ArraySlice<Int64>, into writer: inout ByteWriter) {
        var start = values.startIndex
        while start < values.endIndex {
            let end = min(start + groupCount, values.endIndex)
            var all: UInt64 = 0
            for value in values[start..<end] { all |= value.zigzag }
            let width = 64 - all.leadingZeroBitCount
            writer.byte(UInt8(width))
            var bits = BitWriter()
            for value in values[start..<end] { bits.write(value.zigzag, count: width) }
            writer.append(bits.finish())
            start = end
        }
    }

    static func decode(_ count: Int, from reader: inout ByteReader, _ field: @autoclosure () -> String) throws(DecodingError) -> [Int64] {
        var values: [Int64] = []
        values.reserveCapacity(count)
        while values.count < count {
            let width = Int(try reader.byte(field()))
            guard width <= 64 else { throw DecodingError(.badNumber, field()) }
            let groupSize = min(groupCount, count - values.count)
            var bits = BitReader(try reader.take((groupSize * width + 7) / 8, field()))
            for _ in 0..<groupSize { values.append(Int64(zigzag: try bits.read(width, field()))) }
            guard bits.isPaddedWithZeros else { throw DecodingError(.badNumber, field()) }
        }
        return values
    }
}
