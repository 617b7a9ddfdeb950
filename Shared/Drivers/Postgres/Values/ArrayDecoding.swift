/// An array's elements: `array_send` has dimensions, whether there are nulls, the element type, length and lower bound of each dimension, then the
/// elements with their lengths.
enum ArrayDecoding {
    /// nil when it has more than one dimension, an element is not a `Value`, or the bytes are malformed.
    static func elements<Value: PostgresDecodable>(_ bytes: UnsafeRawBufferPointer, type: PostgresType, of _: Value.Type) -> [Value?]? {
        var reader = WireReader(bytes)
        guard let element = type.element, let dimensions = reader.next(Int32.self), reader.next(Int32.self) != nil,
            reader.next(UInt32.self) == element.rawValue
        else { return nil }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let count = reader.next(Int32.self), count >= 0, reader.next(Int32.self) != nil else { return nil }
        var values: [Value?] = []
        for _ in 0..<count {
            guard let length = reader.next(Int32.self) else { return nil }
            if length == -1 {
                values.append(nil)
            } else {
                guard let bytes = reader.next(count: Int(length)), let value = Value(postgres: bytes, type: element) else { return nil }
                values.append(value)
            }
        }
        return reader.isAtEnd ? values : nil
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    /// Arrays of one dimension without nulls.
    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let elements = ArrayDecoding.elements(bytes, type: type, of: Element.self) else { return nil }
        self = elements.compactMap(\.self)
        guard count == elements.count else { return nil }
    }
}

/// An array whose elements may be null.
package struct PostgresOptionalArray<Element: PostgresDecodable>: PostgresDecodable {
    package let elements: [Element?]

    package init?(postgres bytes: UnsafeRawBufferPointer, type: PostgresType) {
        guard let elements = ArrayDecoding.elements(bytes, type: type, of: Element.self) else { return nil }
        self.elements = elements
    }
}
