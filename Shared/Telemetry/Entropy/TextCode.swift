/// A prefix code for the bytes of schemas: how long each byte's code is was learned from metric names, label values and the numbers between
/// them. It is part of the format and never changes.
///
/// Codes are canonical, as in RFC 1951, 3.2.2: shorter codes come first, among those of one length the smaller bytes; a code's most
/// significant bit is written first. What is left of the last byte are ones, which begin no whole code.
enum TextCode {
    /// A hexadecimal digit a byte.
    private static let lengths: StaticString = """
        456766777767787788998aa9aaa9b8bb8baaabbbbbbaba665677a778677ddddddbdadbbbdbdddbdd9ddbbbddddddddd5d565647775a765555855468987addddd\
        dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddc
        """
    private static let lengthMax = 13

    private struct Code {
        /// For each byte its code, the most significant bit lowest, and its length.
        var codes = [(bits: UInt64, length: Int)](repeating: (0, 0), count: 256)
        /// For each length how many codes have it; the bytes by their codes.
        var counts = [Int](repeating: 0, count: lengthMax + 1)
        var symbols: [UInt8] = []

        init() {
            let digits = UnsafeBufferPointer(start: lengths.utf8Start, count: lengths.utf8CodeUnitCount)
            var next: UInt64 = 0
            for length in 1...lengthMax {
                next <<= 1
                for byte in 0..<256 where FrequencyTable.digit(digits[byte]) == UInt8(length) {
                    var reversed: UInt64 = 0
                    for bit in 0..<length { reversed |= (next >> UInt64(bit) & 1) << UInt64(length - 1 - bit) }
                    codes[byte] = (reversed, length)
                    counts[length] += 1
                    symbols.append(UInt8(byte))
                    next += 1
                }
            }
        }
    }

    private static let code = Code()

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var writer = BitWriter()
        for byte in bytes { writer.write(code.codes[Int(byte)].bits, count: code.codes[Int(byte)].length) }
        return writer.finish(filling: 1)
    }

    /// Nil when the bits end within a code.
    static func decode(_ coded: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var number = 0
        var first = 0
        var index = 0
        var length = 0
        for byte in coded {
            for bit in 0..<8 {
                length += 1
                number = number << 1 | Int(byte >> UInt8(bit) & 1)
                first <<= 1
                let count = code.counts[length]
                if number - first < count {
                    bytes.append(code.symbols[index + number - first])
                    (number, first, index, length) = (0, 0, 0, 0)
                } else {
                    index += count
                    first += count
                }
            }
        }
        return length < 8 && number == (1 << length) - 1 ? bytes : nil
    }
}
