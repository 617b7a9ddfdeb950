/// What a column's bytes can be read as.
package protocol PostgresDecodable {
    /// nil when the type is another, the value does not fit, or the bytes are malformed.
    init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType)
}

extension Bool: PostgresDecodable {
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard type == .boolean, bytes.count == 1 else { return nil }
        self = bytes[0] != 0
    }
}

extension Int64: PostgresDecodable {
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        var reader = WireReader(bytes)
        let value: Int64? =
            switch type {
            case .integer8: reader.next(Int64.self)
            case .integer4: reader.next(Int32.self).map(Int64.init)
            case .integer2: reader.next(Int16.self).map(Int64.init)
            case .objectId: reader.next(UInt32.self).map(Int64.init)
            case .numeric: NumericDecoding.integer(bytes)
            default: nil
            }
        guard let value, type == .numeric || reader.isAtEnd else { return nil }
        self = value
    }
}

extension Int: PostgresDecodable {
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let value = Int64(postgres: bytes, type: type) else { return nil }
        self.init(exactly: value)
    }
}

extension Int32: PostgresDecodable {
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let value = Int64(postgres: bytes, type: type) else { return nil }
        self.init(exactly: value)
    }
}

extension Double: PostgresDecodable {
    /// Whole numbers of up to 32 bits are exact; numeric is rounded.
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        var reader = WireReader(bytes)
        let value: Double? =
            switch type {
            case .float8: reader.next(UInt64.self).map(Double.init(bitPattern:))
            case .float4: reader.next(UInt32.self).map { Double(Float(bitPattern: $0)) }
            case .integer4: reader.next(Int32.self).map(Double.init)
            case .integer2: reader.next(Int16.self).map(Double.init)
            case .numeric: NumericDecoding.double(bytes)
            default: nil
            }
        guard let value, type == .numeric || reader.isAtEnd else { return nil }
        self = value
    }
}

extension String: PostgresDecodable {
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard type.isText else { return nil }
        if type == .jsonb {
            guard bytes.first == 1 else { return nil }
            self.init(decoding: bytes.dropFirst(), as: UTF8.self)
        } else {
            self.init(decoding: bytes, as: UTF8.self)
        }
    }
}

extension PostgresTimestamp: PostgresDecodable {
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        var reader = WireReader(bytes)
        guard type == .timestampWithZone || type == .timestamp, let wire = reader.next(Int64.self), reader.isAtEnd else { return nil }
        self.init(wire: wire)
    }
}

/// The content of a bytea.
package struct PostgresBytes: PostgresDecodable, Hashable, Sendable {
    package let bytes: [UInt8]

    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard type == .bytes else { return nil }
        self.bytes = [UInt8](bytes)
    }
}

/// The ranges of an int8multirange.
package struct PostgresRanges: PostgresDecodable, Hashable, Sendable {
    package let ranges: [ClosedRange<Int64>]

    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard type == .integer8Multirange, let ranges = RangeCoding.decode(bytes) else { return nil }
        self.ranges = ranges
    }
}
