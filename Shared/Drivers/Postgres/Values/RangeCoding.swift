/// Ranges of integers as int8multirange: `multirange_recv` and `range_recv`.
enum RangeCoding {
    // The flags of a range, as `rangetypes.h` has them.
    private static let empty: UInt8 = 0x01
    private static let includesLower: UInt8 = 0x02
    private static let includesUpper: UInt8 = 0x04
    private static let isUnbounded: UInt8 = 0x18

    static func encode(_ ranges: [ClosedRange<Int64>], into buffer: WireBuffer) -> Bool {
        guard let count = Int32(exactly: ranges.count) else { return false }
        buffer.append(count)
        for range in ranges {
            // The server turns [a,b] into [a,b+1), which must not overflow.
            guard range.upperBound < .max else { return false }
            buffer.append(Int32(1 + 12 + 12))
            buffer.append(includesLower | includesUpper)
            for bound in [range.lowerBound, range.upperBound] {
                buffer.append(Int32(8))
                buffer.append(bound)
            }
        }
        return true
    }

    /// nil when it is malformed, or has a range without an end.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [ClosedRange<Int64>]? {
        var reader = WireReader(bytes)
        guard let count = reader.next(Int32.self), count >= 0 else { return nil }
        var ranges: [ClosedRange<Int64>] = []
        for _ in 0..<count {
            guard let length = reader.next(Int32.self), length > 0, let flags = reader.next(UInt8.self), flags & (empty | isUnbounded) == 0,
                let lower = bound(&reader), let upper = bound(&reader)
            else { return nil }
            let first = flags & includesLower != 0 ? lower : lower &+ 1
            let last = flags & includesUpper != 0 ? upper : upper &- 1
            guard first <= last else { return nil }
            ranges.append(first...last)
        }
        return reader.isAtEnd ? ranges : nil
    }

    private static func bound(_ reader: inout WireReader) -> Int64? {
        guard reader.next(Int32.self) == 8 else { return nil }
        return reader.next(Int64.self)
    }
}
