/// A value of BSON, <https://bsonspec.org/spec.html>. What this program never writes is kept as its bytes.
package enum BSONValue: Equatable, Sendable {
    case double(Double)
    case string(String)
    case document(BSONDocument)
    case array([BSONValue])
    /// Of the generic kind.
    case binary([UInt8])
    /// 12 bytes.
    case objectId([UInt8])
    case bool(Bool)
    /// UTC, milliseconds since 1970.
    case date(Int64)
    case null
    case int32(Int32)
    case int64(Int64)
    /// Any other type: its number and bytes.
    case other(type: UInt8, bytes: [UInt8])

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// A whole number, whatever its width.
    package var integer: Int64? {
        switch self {
        case .int32(let value): Int64(value)
        case .int64(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var document: BSONDocument? {
        guard case .document(let document) = self else { return nil }
        return document
    }

    package var array: [BSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

extension BSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = Int32(exactly: value).map(BSONValue.int32) ?? .int64(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension BSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: BSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral members: (String, BSONValue)...) { self = .document(BSONDocument(members)) }
}
