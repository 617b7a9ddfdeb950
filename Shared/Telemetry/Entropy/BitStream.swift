/// Bits being written, the least significant first.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var pendingCount = 0

    /// Appends the low `count` bits of `value`, 0…63, whose other bits are zeros.
    mutating func write(_ value: UInt64, count: Int) {
        if count > 32 {
            write(value & 0xFFFF_FFFF, count: 32)
            write(value >> 32, count: count - 32)
            return
        }
        pending |= value << UInt64(pendingCount)
        pendingCount += count
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingCount -= 8
        }
    }

    /// Fills the last byte with zeros, or with ones.
    mutating func finish(filling bit: UInt64 = 0) -> [UInt8] {
        if pendingCount > 0 {
            if bit == 1 { pending |= UInt64.max << UInt64(pendingCount) }
            bytes.append(UInt8(truncatingIfNeeded: pending))
        }
        pending = 0
        pendingCount = 0
        return bytes
    }
}

/// Bits being read, the least significant first, from a copy that ends in `paddingBytes` zeros, so that whole words can be loaded.
struct BitReader {
    static let paddingBytes = 16

    private let base: UnsafeRawPointer
    private let bitCount: Int
    private var position = 0

    /// The bytes stay where they are for as long as this is used.
    init(_ base: UnsafeRawPointer, byteCount: Int) {
        self.base = base
        bitCount = byteCount * 8
    }

    /// The next `count` bits, 0…63, or nil when there are fewer.
    @inline(__always) mutating func read(_ count: Int) -> UInt64? {
        guard count <= bitCount &- position else { return nil }
        let low = word(at: position)
        var value = low
        if count > 56 { value = (low & 0xFF_FFFF_FFFF_FFFF) | word(at: position &+ 56) << 56 }
        position &+= count
        return value & ((1 &<< UInt64(truncatingIfNeeded: count)) &- 1)
    }

    /// At least 57 bits from a place on.
    @inline(__always) private func word(at position: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position &>> 3, as: UInt64.self)) &>> UInt64(truncatingIfNeeded: position & 7)
    }

    /// Whole bytes that have not been begun.
    var bytesLeft: Int { (bitCount - position) / 8 }

    /// The bits left in the byte that was begun are zeros, as a writer leaves them.
    var isPaddedWithZeros: Bool { position & 7 == 0 || word(at: position) & ((1 << UInt64(8 - position & 7)) - 1) == 0 }
}
