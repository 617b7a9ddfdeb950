/// Why bytes from outside could not be read. Every malformed input of batches, blocks and acknowledgements ends in one of these.
package struct DecodingError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: UInt8, Sendable {
        case truncated = 1
        case badMagic = 2
        case unknownVersion = 3
        case unknownFlags = 4
        case unknownKind = 5
        case badDevice = 6
        case tooLarge = 7
        case duplicateSeries = 8
        case badChecksum = 9
        case badText = 10
        case badNumber = 11
        case unknownEncoding = 12
        case trailingBytes = 13
        case unknownName = 14

        /// The reason as metrics and documents name it.
        package var name: String {
            switch self {
            case .truncated: "truncated"
            case .badMagic: "bad_magic"
            case .unknownVersion: "unknown_version"
            case .unknownFlags: "unknown_flags"
            case .unknownKind: "unknown_kind"
            case .badDevice: "bad_device"
            case .tooLarge: "too_large"
            case .duplicateSeries: "duplicate_series"
            case .badChecksum: "bad_checksum"
            case .badText: "bad_text"
            case .badNumber: "bad_number"
            case .unknownEncoding: "unknown_encoding"
            case .trailingBytes: "trailing_bytes"
            case .unknownName: "unknown_name"
            }
        }
    }

    package let reason: Reason
    /// The part of the format that was being read, e.g. `batch.sequence`.
    package let field: String

    package init(_ reason: Reason, _ field: String) {
        self.reason = reason
        self.field = field
    }

    package var description: String { reason.name + " in " + field }
}

/// A cursor over bytes from outside: checks every length before it is used and never traps.
package struct ByteReader {
    package let bytes: ArraySlice<UInt8>
    package private(set) var index: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    package var remaining: Int { bytes.endIndex - index }
    package var isAtEnd: Bool { remaining == 0 }

    package mutating func byte(_ field: @autoclosure () -> String) throws(DecodingError) -> UInt8 {
        guard index < bytes.endIndex else { throw DecodingError(.truncated, field()) }
        defer { index += 1 }
        return bytes[index]
    }

    package mutating func take(_ count: Int, _ field: @autoclosure () -> String) throws(DecodingError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw DecodingError(.truncated, field()) }
        defer { index += count }
        return bytes[index..<index + count]
    }

    /// A little-endian number of `width` bytes, 1…8.
    private mutating func fixed(_ width: Int, _ field: @autoclosure () -> String) throws(DecodingError) -> UInt64 {
        guard width <= remaining else { throw DecodingError(.truncated, field()) }
        var value: UInt64 = 0
        for offset in 0..<width { value |= UInt64(bytes[index + offset]) << UInt64(8 * offset) }
        index += width
        return value
    }

    package mutating func uint32(_ field: @autoclosure () -> String) throws(DecodingError) -> UInt32 { UInt32(try fixed(4, field())) }
    package mutating func uint64(_ field: @autoclosure () -> String) throws(DecodingError) -> UInt64 { try fixed(8, field()) }

    /// An unsigned LEB128 number in its shortest form, at most 10 bytes.
    package mutating func varint(_ field: @autoclosure () -> String) throws(DecodingError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard index < bytes.endIndex else { throw DecodingError(.truncated, field()) }
            let byte = bytes[index]
            index += 1
            let low = UInt64(byte & 0x7F)
            guard shift < 63 || (shift == 63 && low <= 1) else { throw DecodingError(.badNumber, field()) }
            value |= low << shift
            if byte & 0x80 == 0 {
                guard low != 0 || shift == 0 else { throw DecodingError(.badNumber, field()) }
                return value
            }
            shift += 7
        }
    }

    /// A varint that counts something, at most `max`.
    package mutating func count(_ field: @autoclosure () -> String, max: Int) throws(DecodingError) -> Int {
        let value = try varint(field())
        guard value <= UInt64(max) else { throw DecodingError(.tooLarge, field()) }
        return Int(value)
    }

    /// A zigzag varint.
    package mutating func signed(_ field: @autoclosure () -> String) throws(DecodingError) -> Int64 { Int64(zigzag: try varint(field())) }

    /// A varint length and that many bytes of UTF-8, at most `max`.
    package mutating func text(_ field: @autoclosure () -> String, max: Int) throws(DecodingError) -> String {
        let length = try count(field(), max: max)
        let slice = try take(length, field())
        guard let text = String(validating: slice, as: UTF8.self) else { throw DecodingError(.badText, field()) }
        return text
    }
}

/// Bytes being written: the inverse of `ByteReader`.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    package mutating func byte(_ value: UInt8) { bytes.append(value) }
    package mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    package mutating func uint32(_ value: UInt32) { for offset in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * offset))) } }
    package mutating func uint64(_ value: UInt64) { for offset in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * offset))) } }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func signed(_ value: Int64) { varint(value.zigzag) }

    /// The bytes that `signed` takes.
    static func signedByteCount(_ value: Int64) -> Int { max(1, (64 - value.zigzag.leadingZeroBitCount + 6) / 7) }

    package mutating func text(_ value: String) {
        let utf8 = Array(value.utf8)
        varint(UInt64(utf8.count))
        bytes.append(contentsOf: utf8)
    }
}

extension Int64 {
    /// Small magnitudes of either sign as small unsigned numbers: 0, −1, 1, −2 … become 0, 1, 2, 3 …
    package var zigzag: UInt64 { UInt64(bitPattern: (self << 1) ^ (self >> 63)) }
    package init(zigzag value: UInt64) { self = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as RFC 3720 appendix B.4 uses it.
package enum CRC32C {
    /// Four tables, so that four bytes are taken at a step ("slicing by 4").
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 4 * 256)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1 }
            tables[index] = value
        }
        for table in 1..<4 {
            for index in 0..<256 {
                let previous = tables[(table - 1) * 256 + index]
                tables[table * 256 + index] = (previous >> 8) ^ tables[Int(previous & 0xFF)]
            }
        }
        return tables
    }()

    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            bytes.withUnsafeBufferPointer { bytes in
                var value: UInt32 = 0xFFFF_FFFF
                var index = 0
                while index + 4 <= bytes.count {
                    let word = UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16 | UInt32(bytes[index + 3]) << 24
                    value ^= word
                    value =
                        table[768 + Int(value & 0xFF)] ^ table[512 + Int(value >> 8 & 0xFF)] ^ table[256 + Int(value >> 16 & 0xFF)]
                        ^ table[Int(value >> 24)]
                    index += 4
                }
                while index < bytes.count {
                    value = (value >> 8) ^ table[Int((value ^ UInt32(bytes[index])) & 0xFF)]
                    index += 1
                }
                return ~value
            }
        }
    }
}
