/// A value for a parameter. It is written as the type that the server wants there, if it fits.
package enum PostgresValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// For smallint, integer, bigint, oid, and for real and double precision.
    case integer(Int64)
    case double(Double)
    /// For text, varchar, char, name, json and jsonb.
    case text(String)
    case bytes([UInt8])
    /// Milliseconds since 1970, UTC.
    case timestamp(Int64)
    /// A one-dimensional array; its elements may be null.
    case array([PostgresValue])
    /// For int8multirange, in order and apart from each other.
    case ranges([ClosedRange<Int64>])

    package static func integers(_ values: some Sequence<Int64>) -> PostgresValue { .array(values.map(PostgresValue.integer)) }
    package static func doubles(_ values: some Sequence<Double>) -> PostgresValue { .array(values.map(PostgresValue.double)) }
    package static func texts(_ values: some Sequence<String>) -> PostgresValue { .array(values.map(PostgresValue.text)) }
    package static func timestamps(_ values: some Sequence<Int64>) -> PostgresValue { .array(values.map(PostgresValue.timestamp)) }

    /// Its kind, for messages that must not tell the value.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer: "an integer"
        case .double: "a double"
        case .text: "a text"
        case .bytes: "bytes"
        case .timestamp: "a timestamp"
        case .array: "an array"
        case .ranges: "ranges"
        }
    }

    /// Writes the value without its length; false when it does not fit the type.
    func encode(as type: PostgresType, into buffer: WireBuffer) -> Bool {
        switch self {
        case .null: return false
        case .boolean(let value):
            guard type == .boolean else { return false }
            buffer.append(UInt8(value ? 1 : 0))
        case .integer(let value): return Self.encode(value, as: type, into: buffer)
        case .double(let value): return Self.encode(value, as: type, into: buffer)
        case .text(let value): return Self.encode(value, as: type, into: buffer)
        case .bytes(let value):
            guard type == .bytes else { return false }
            value.withUnsafeBytes { buffer.append($0) }
        case .timestamp(let value):
            guard type == .timestampWithZone || type == .timestamp, let wire = PostgresTimestamp.wire(milliseconds: value) else { return false }
            buffer.append(wire)
        case .array(let values): return Self.encode(values, as: type, into: buffer)
        case .ranges(let values):
            guard type == .integer8Multirange else { return false }
            return RangeCoding.encode(values, into: buffer)
        }
        return true
    }

    private static func encode(_ value: Int64, as type: PostgresType, into buffer: WireBuffer) -> Bool {
        switch type {
        case .integer8: buffer.append(value)
        case .integer4:
            guard let exact = Int32(exactly: value) else { return false }
            buffer.append(exact)
        case .integer2:
            guard let exact = Int16(exactly: value) else { return false }
            buffer.append(exact)
        case .objectId:
            guard let exact = UInt32(exactly: value) else { return false }
            buffer.append(exact)
        case .float8, .float4:
            guard let exact = Double(exactly: value) else { return false }
            return encode(exact, as: type, into: buffer)
        default: return false
        }
        return true
    }

    private static func encode(_ value: Double, as type: PostgresType, into buffer: WireBuffer) -> Bool {
        switch type {
        case .float8: buffer.append(value.bitPattern)
        case .float4: buffer.append(Float(value).bitPattern)
        default: return false
        }
        return true
    }

    private static func encode(_ value: String, as type: PostgresType, into buffer: WireBuffer) -> Bool {
        guard type.isText else { return false }
        // The first byte of a jsonb is the version of its form.
        if type == .jsonb { buffer.append(UInt8(1)) }
        var value = value
        value.withUTF8 { buffer.append(UnsafeRawBufferPointer($0)) }
        return true
    }

    /// `array_recv`: dimensions, whether there are nulls, the element type, length and lower bound of the dimension, then the elements.
    private static func encode(_ values: [PostgresValue], as type: PostgresType, into buffer: WireBuffer) -> Bool {
        guard let element = type.element, let count = Int32(exactly: values.count) else { return false }
        buffer.append(Int32(values.isEmpty ? 0 : 1))
        buffer.append(Int32(values.contains(.null) ? 1 : 0))
        buffer.append(element.rawValue)
        guard count > 0 else { return true }
        buffer.append(count)
        buffer.append(Int32(1))
        return values.allSatisfy { $0.encodeWithLength(as: element, into: buffer) }
    }

    /// With its length in front, -1 for null.
    func encodeWithLength(as type: PostgresType, into buffer: WireBuffer) -> Bool {
        let start = buffer.count
        buffer.append(Int32(-1))
        if self == .null { return true }
        guard encode(as: type, into: buffer), buffer.count - start - 4 <= WireBuffer.bytesMax else { return false }
        buffer.replace(at: start, with: Int32(buffer.count - start - 4))
        return true
    }
}
