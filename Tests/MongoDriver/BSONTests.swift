import MongoDriver
import Testing

@Suite struct BSONTests {
    /// Every type that is written.
    private static let all: BSONDocument = [
        "double": -0.5, "string": "na\u{0}ïve \u{1F600}", "empty": "", "document": ["a": ["b": .null]], "array": [1, "x", [true]],
        "binary": .binary([0, 255]), "id": .objectId(Array(0..<12)), "bool": false, "date": .date(-1), "null": .null,
        "int32": .int32(.min), "int64": .int64(.max), "ü.$": 1,
    ]

    @Test func `every type comes back as it went in, in order`() throws {
        #expect(try BSONReader.decode(BSONWriter.encode(Self.all)) == Self.all)
    }

    @Test func `the bytes are those of the specification`() throws {
        // <https://bsonspec.org/faq.html>: {"hello": "world"}.
        let hello: [UInt8] = [0x16, 0, 0, 0, 0x02, 0x68, 0x65, 0x6C, 0x6C, 0x6F, 0, 6, 0, 0, 0, 0x77, 0x6F, 0x72, 0x6C, 0x64, 0, 0]
        #expect(try BSONWriter.encode(["hello": "world"]) == hello)
        let array: [UInt8] = [
            0x31, 0, 0, 0, 0x04, 0x42, 0x53, 0x4F, 0x4E, 0, 0x26, 0, 0, 0, 0x02, 0x30, 0, 8, 0, 0, 0, 0x61, 0x77, 0x65, 0x73, 0x6F, 0x6D, 0x65, 0,
            0x01, 0x31, 0, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x14, 0x40, 0x10, 0x32, 0, 0xC2, 7, 0, 0, 0, 0,
        ]
        #expect(try BSONWriter.encode(["BSON": ["awesome", 5.05, .int32(1986)]]) == array)
    }

    @Test func `what no server takes is refused before it is sent`() {
        var deep: BSONValue = 1
        for _ in 0..<BSONLimits.depthMax { deep = ["a": deep] }
        #expect(throws: BSONError(.tooDeep, at: 700).self) { try BSONWriter.encode(["a": deep]) }
        let large = BSONDocument([("a", .string(String(repeating: "x", count: BSONLimits.bytesMax)))])
        #expect(throws: BSONError.self) { try BSONWriter.encode(large) }
        #expect(throws: BSONError(.badName, at: 4).self) { try BSONWriter.encode(["a\u{0}b": 1]) }
    }

    @Test func `a document that is cut off anywhere is one typed error`() throws {
        let bytes = try BSONWriter.encode(Self.all)
        for count in 0..<bytes.count { #expect(throws: BSONError.self) { try BSONReader.decode(Array(bytes[..<count])) } }
        #expect(throws: BSONError.self) { try BSONReader.decode(bytes + [0]) }
    }

    @Test func `bytes that were changed anywhere never trap`() throws {
        let bytes = try BSONWriter.encode(Self.all)
        var random = SystemRandomNumberGenerator()
        var refused = 0
        for _ in 0..<20_000 {
            var changed = bytes
            for _ in 0...Int(random.next() % 3) { changed[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
            do { _ = try BSONReader.decode(changed) } catch { refused += 1 }
        }
        #expect(refused > 1_000)
    }

    @Test func `types that are not written are kept as their bytes`() throws {
        // A timestamp and a decimal, as replies have them.
        let bytes: [UInt8] = [35, 0, 0, 0, 0x11, 0x74, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x13, 0x64, 0] + [UInt8](repeating: 9, count: 16) + [0]
        let document = try BSONReader.decode(bytes)
        #expect(document["t"] == .other(type: 0x11, bytes: [1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(try BSONWriter.encode(document) == bytes)
    }
}
