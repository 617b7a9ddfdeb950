/// Writes documents as bytes, within the limits of the server.
package struct BSONWriter {
    private var bytes: [UInt8] = []

    package static func encode(_ document: BSONDocument) throws(BSONError) -> [UInt8] {
        var writer = BSONWriter()
        try writer.document(document, depth: 1)
        return writer.bytes
    }

    private mutating func document(_ document: BSONDocument, depth: Int) throws(BSONError) {
        let start = try begin(depth)
        for (name, value) in document.members { try element(name, value, depth) }
        try end(start)
    }

    /// "The document for an array is a normal BSON document with integer values for the keys, starting with 0 and continuing sequentially."
    private mutating func array(_ elements: [BSONValue], depth: Int) throws(BSONError) {
        let start = try begin(depth)
        for (index, value) in elements.enumerated() { try element(String(index), value, depth) }
        try end(start)
    }

    private mutating func begin(_ depth: Int) throws(BSONError) -> Int {
        guard depth <= BSONLimits.depthMax else { throw BSONError(.tooDeep, at: bytes.count) }
        let start = bytes.count
        append(Int32(0))
        return start
    }

    private mutating func end(_ start: Int) throws(BSONError) {
        bytes.append(0)
        try checkSize()
        let length = UInt32(bytes.count - start).littleEndian
        withUnsafeBytes(of: length) { for (offset, byte) in $0.enumerated() { bytes[start + offset] = byte } }
    }

    private func checkSize() throws(BSONError) {
        guard bytes.count <= BSONLimits.bytesMax else { throw BSONError(.tooLarge, at: BSONLimits.bytesMax) }
    }

    private mutating func element(_ name: String, _ value: BSONValue, _ depth: Int) throws(BSONError) {
        switch value {
        case .double(let number):
            try head(BSONType.double, name)
            append(number.bitPattern)
        case .string(let text):
            try head(BSONType.string, name)
            try string(text)
        case .document(let inner):
            try head(BSONType.document, name)
            try document(inner, depth: depth + 1)
        case .array(let elements):
            try head(BSONType.array, name)
            try array(elements, depth: depth + 1)
        case .binary(let content):
            try head(BSONType.binary, name)
            append(Int32(clamping: content.count))
            bytes.append(0)
            bytes += content
            try checkSize()
        case .objectId(let id):
            guard id.count == 12 else { throw BSONError(.badLength, at: bytes.count) }
            try head(BSONType.objectId, name)
            bytes += id
        case .bool(let bool):
            try head(BSONType.bool, name)
            bytes.append(bool ? 1 : 0)
        case .date(let milliseconds):
            try head(BSONType.date, name)
            append(milliseconds)
        case .null: try head(BSONType.null, name)
        case .int32(let integer):
            try head(BSONType.int32, name)
            append(integer)
        case .int64(let integer):
            try head(BSONType.int64, name)
            append(integer)
        case .other(let type, let content):
            try head(type, name)
            bytes += content
            try checkSize()
        }
    }

    private mutating func head(_ type: UInt8, _ name: String) throws(BSONError) {
        guard !name.utf8.contains(0) else { throw BSONError(.badName, at: bytes.count) }
        bytes.append(type)
        bytes += name.utf8
        bytes.append(0)
    }

    private mutating func string(_ text: String) throws(BSONError) {
        append(Int32(clamping: text.utf8.count + 1))
        bytes += text.utf8
        bytes.append(0)
        try checkSize()
    }

    private mutating func append(_ integer: some FixedWidthInteger) { withUnsafeBytes(of: integer.littleEndian) { bytes += $0 } }
}
