/// Reads documents from bytes. Every length is checked before it is used; whatever the bytes are, the worst is one typed error.
package struct BSONReader {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    package static func decode(_ bytes: [UInt8]) throws(BSONError) -> BSONDocument {
        var result: Result<BSONDocument, BSONError> = .failure(BSONError(.truncated, at: 0))
        bytes.withUnsafeBytes { buffer in
            do throws(BSONError) { result = .success(try decode(buffer)) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(BSONError) -> BSONDocument {
        guard bytes.count <= BSONLimits.bytesMax + repliesMore else { throw BSONError(.tooLarge, at: BSONLimits.bytesMax) }
        var reader = BSONReader(bytes: bytes)
        let document = BSONDocument(try reader.members(depth: 1).map { ($0.name, $0.value) })
        guard reader.index == bytes.count else { throw BSONError(.badLength, at: reader.index) }
        return document
    }

    /// A reply is a document of the largest size in an envelope.
    private static let repliesMore = 16 * 1024

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func members(depth: Int) throws(BSONError) -> [(name: String, value: BSONValue)] {
        guard depth <= BSONLimits.depthMax else { throw BSONError(.tooDeep, at: index) }
        let start = index
        let length = Int(try integer(Int32.self))
        guard length >= 5, length <= bytes.count - start else { throw BSONError(.badLength, at: start) }
        let end = start + length - 1
        var members: [(name: String, value: BSONValue)] = []
        while true {
            let type = try byte()
            if type == 0 { break }
            let name = try name()
            members.append((name, try value(type, depth)))
        }
        guard index == end + 1 else { throw BSONError(.badLength, at: index) }
        return members
    }

    private mutating func value(_ type: UInt8, _ depth: Int) throws(BSONError) -> BSONValue {
        switch type {
        case BSONType.double: return .double(Double(bitPattern: try integer(UInt64.self)))
        case BSONType.string: return .string(try string())
        case BSONType.document: return .document(BSONDocument(try members(depth: depth + 1).map { ($0.name, $0.value) }))
        case BSONType.array: return .array(try members(depth: depth + 1).map { $0.value })
        case BSONType.binary: return try binary()
        case BSONType.objectId: return .objectId(try take(12))
        case BSONType.bool: return .bool(try byte() != 0)
        case BSONType.date: return .date(try integer(Int64.self))
        case BSONType.null: return .null
        case BSONType.int32: return .int32(try integer(Int32.self))
        case BSONType.int64: return .int64(try integer(Int64.self))
        default: return .other(type: type, bytes: try other(type))
        }
    }

    /// The bytes of a type that is not looked into.
    private mutating func other(_ type: UInt8) throws(BSONError) -> [UInt8] {
        let start = index
        switch type {
        case 0x06, 0x7F, 0xFF: break
        case 0x0B: for _ in 0..<2 { _ = try name() }
        case 0x0C:
            try skipString()
            _ = try take(12)
        case 0x0D, 0x0E: try skipString()
        case 0x0F:
            let length = Int(try integer(Int32.self))
            guard length >= 4 else { throw BSONError(.badLength, at: start) }
            _ = try take(length - 4)
        case 0x11: _ = try take(8)
        case 0x13: _ = try take(16)
        default: throw BSONError(.badType, at: start)
        }
        return Array(bytes[start..<index])
    }

    private mutating func binary() throws(BSONError) -> BSONValue {
        let start = index
        let length = Int(try integer(Int32.self))
        let subtype = try byte()
        let content = try take(length)
        return subtype == 0 ? .binary(content) : .other(type: BSONType.binary, bytes: Array(bytes[start..<index]))
    }

    private mutating func string() throws(BSONError) -> String {
        let start = index
        let content = try stringBytes()
        guard let text = String(validating: content, as: UTF8.self) else { throw BSONError(.badText, at: start) }
        return text
    }

    private mutating func skipString() throws(BSONError) { _ = try stringBytes() }

    private mutating func stringBytes() throws(BSONError) -> UnsafeRawBufferPointer.SubSequence {
        let start = index
        let length = Int(try integer(Int32.self))
        guard length >= 1, length <= bytes.count - index, bytes[index + length - 1] == 0 else { throw BSONError(.badLength, at: start) }
        defer { index += length }
        return bytes[index..<index + length - 1]
    }

    private mutating func name() throws(BSONError) -> String {
        let start = index
        while index < bytes.count, bytes[index] != 0 { index += 1 }
        guard index < bytes.count else { throw BSONError(.truncated, at: start) }
        defer { index += 1 }
        guard let text = String(validating: bytes[start..<index], as: UTF8.self) else { throw BSONError(.badText, at: start) }
        return text
    }

    private mutating func byte() throws(BSONError) -> UInt8 {
        guard index < bytes.count else { throw BSONError(.truncated, at: index) }
        defer { index += 1 }
        return bytes[index]
    }

    private mutating func take(_ count: Int) throws(BSONError) -> [UInt8] {
        guard count >= 0, count <= bytes.count - index else { throw BSONError(.badLength, at: index) }
        defer { index += count }
        return Array(bytes[index..<index + count])
    }

    private mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(BSONError) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard size <= bytes.count - index else { throw BSONError(.truncated, at: index) }
        defer { index += size }
        return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: Integer.self))
    }
}
