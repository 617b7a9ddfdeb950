/// How one column's values are written. The raw value is the wire's. All are lossless to the bit.
enum ColumnEncoding: UInt8 {
    /// Every value is the same: 8 bytes.
    case constant = 0
    /// Every value is an integer over a power of ten: the exponent, the first integer, packed differences.
    case decimal = 1
    /// The bits of each value XOR the last one's, as in Pelkonen et al., "Gorilla" (VLDB 2015), section 4.1.2.
    case xor = 2

    /// Writes the values, at least one, in whichever encoding takes the fewest bytes.
    static func encode(_ values: [Double]) -> (encoding: ColumnEncoding, payload: [UInt8]) {
        let first = values[0].bitPattern
        if values.allSatisfy({ $0.bitPattern == first }) {
            var writer = ByteWriter(capacity: 8)
            writer.uint64(first)
            return (.constant, writer.bytes)
        }
        let xor = XORColumn.encode(values)
        if let decimal = DecimalColumn.encode(values), decimal.count <= xor.count { return (.decimal, decimal) }
        return (.xor, xor)
    }

    /// Reads `count` values, at least one.
    func decode(_ count: Int, from reader: inout ByteReader) throws(DecodingError) -> [Double] {
        switch self {
        case .constant: return [Double](repeating: Double(bitPattern: try reader.uint64("block.constant")), count: count)
        case .decimal: return try DecimalColumn.decode(count, from: &reader)
        case .xor: return try XORColumn.decode(count, from: &reader)
        }
    }
}

/// Values as integers over a power of ten.
enum DecimalColumn {
    /// The finest decimal tried: 10⁻¹².
    static let exponentMax = 12
    /// Beyond 2⁵³ an integer is not exact as a Double.
    private static let integerMax = 9_007_199_254_740_992.0
    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

    /// Nil when no exponent makes every value exact.
    static func encode(_ values: [Double]) -> [UInt8]? {
        var exponent = 0
        for value in values {
            while integer(value, exponent) == nil {
                exponent += 1
                if exponent > exponentMax { return nil }
            }
        }
        var integers: [Int64] = []
        integers.reserveCapacity(values.count)
        for value in values {
            // A coarser exponent fitted some values; the final one must fit them all.
            guard let integer = integer(value, exponent) else { return nil }
            integers.append(integer)
        }
        var writer = ByteWriter(capacity: values.count)
        writer.byte(UInt8(exponent))
        writer.signed(integers[0])
        for index in stride(from: integers.count - 1, to: 0, by: -1) { integers[index] -= integers[index - 1] }
        PackedIntegers.encode(integers[1...], into: &writer)
        return writer.bytes
    }

    static func decode(_ count: Int, from reader: inout ByteReader) throws(DecodingError) -> [Double] {
        let exponent = Int(try reader.byte("block.exponent"))
        guard exponent <= exponentMax else { throw DecodingError(.badNumber, "block.exponent") }
        let power = powers[exponent]
        var integer = try reader.signed("block.decimal")
        var values = [Double](repeating: Double(integer) / power, count: count)
        let differences = try PackedIntegers.decode(count - 1, from: &reader, "block.decimal")
        for (index, difference) in differences.enumerated() {
            integer &+= difference
            values[index + 1] = Double(integer) / power
        }
        return values
    }

    /// The integer that gives exactly this value, to the bit, when divided by 10^exponent.
    private static func integer(_ value: Double, _ exponent: Int) -> Int64? {
        let scaled = (value * powers[exponent]).rounded()
        guard scaled.magnitude < integerMax else { return nil }
        let integer = Int64(scaled)
        return (Double(integer) / powers[exponent]).bitPattern == value.bitPattern ? integer : nil
    }
}

/// Values as the XOR with the one before.
enum XORColumn {
    static func encode(_ values: [Double]) -> [UInt8] {
        var bits = BitWriter()
        var previous = values[0].bitPattern
        bits.write(previous, count: 64)
        var leading = 65  // no window yet
        var trailing = 0
        for value in values.dropFirst() {
            let difference = value.bitPattern ^ previous
            previous = value.bitPattern
            guard difference != 0 else {
                bits.write(0, count: 1)
                continue
            }
            let newLeading = min(31, difference.leadingZeroBitCount)
            let newTrailing = difference.trailingZeroBitCount
            if leading <= newLeading && trailing <= newTrailing {
                bits.write(0b01, count: 2)
            } else {
                leading = newLeading
                trailing = newTrailing
                bits.write(0b11, count: 2)
                bits.write(UInt64(leading), count: 5)
                bits.write(UInt64(64 - leading - trailing - 1), count: 6)
            }
            bits.write(difference >> UInt64(trailing), count: 64 - leading - trailing)
        }
        let packed = bits.finish()
        var writer = ByteWriter(capacity: packed.count + 3)
        writer.varint(UInt64(packed.count))
        writer.append(packed)
        return writer.bytes
    }

    static func decode(_ count: Int, from reader: inout ByteReader) throws(DecodingError) -> [Double] {
        let length = try reader.count("block.xor", max: Batch.bytesMax * 16)
        var bits = BitReader(try reader.take(length, "block.xor"))
        var previous = try bits.read(64, "block.xor")
        var values: [Double] = []
        values.reserveCapacity(count)
        values.append(Double(bitPattern: previous))
        var leading = 65
        var meaningful = 0
        while values.count < count {
            if try bits.read(1, "block.xor") == 1 {
                if try bits.read(1, "block.xor") == 1 {
                    leading = Int(try bits.read(5, "block.xor"))
                    meaningful = Int(try bits.read(6, "block.xor")) + 1
                }
                guard leading + meaningful <= 64 else { throw DecodingError(.badNumber, "block.xor") }
                previous ^= try bits.read(meaningful, "block.xor") << UInt64(64 - leading - meaningful)
            }
            values.append(Double(bitPattern: previous))
        }
        guard bits.isAtEnd else { throw DecodingError(.trailingBytes, "block.xor") }
        return values
    }
}
