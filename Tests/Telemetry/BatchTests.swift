import Foundation
import Telemetry
import Testing

struct BatchTests {
    static let batch = Batch(
        kind: .samples, device: DeviceId("edge-1")!, stream: 0x0123_4567_89AB_CDEF, sequence: 300, sealedAt: 1_700_000_000_123, payload: [1, 2, 3])

    @Test func `a batch comes back as it was`() throws {
        #expect(try Batch(decoding: Self.batch.encoded()) == Self.batch)
    }

    @Test func `a span, a resolution and an origin come back as they were`() throws {
        var batch = Self.batch
        batch.span = 300
        batch.resolution = 600
        #expect(batch.firstSequence == 1)
        #expect(try Batch(decoding: batch.encoded()) == batch)
        batch.origin = Batch.Origin(stream: 7, sequence: 5_000)
        #expect(try Batch(decoding: batch.encoded()) == batch)
    }

    @Test(arguments: [(0, 900), (301, 900), (Batch.spanMax + 1, 900), (20, 19)] as [(UInt64, Sequence64)])
    func `a batch cannot stand for more sequences than there are before it`(span: UInt64, origin: Sequence64) {
        var batch = Self.batch
        batch.span = span
        batch.origin = Batch.Origin(stream: 7, sequence: origin)
        #expect(throws: DecodingError.self) { try Batch(decoding: batch.encoded()) }
    }

    @Test func `the bytes are those of the format page's test vector`() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/batch-1.hex")
        let text = try String(contentsOf: url, encoding: .utf8).filter { !$0.isWhitespace }
        #expect(Self.batch.encoded().map { String(format: "%02x", $0) }.joined() == text)
    }

    @Test func `the checksum is CRC-32C`() {
        // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, and the incrementing ones.
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)[...]) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)[...]) == 0x62A8_AB43)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }[...]) == 0x46DD_794E)
        #expect(CRC32C.checksum(Array("123456789".utf8)[...]) == 0xE306_9283)
    }

    @Test func `every truncation and every flipped bit is refused`() {
        let bytes = Self.batch.encoded()
        for length in 0..<bytes.count { #expect(throws: DecodingError.self) { try Batch(decoding: Array(bytes[..<length])) } }
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: DecodingError.self) { try Batch(decoding: flipped) }
        }
    }

    @Test(arguments: [
        (2, UInt8(9), DecodingError.Reason.unknownVersion), (3, 2, .unknownFlags), (0, 0, .badMagic), (4, 77, .unknownKind), (6, 0, .badDevice),
    ])
    func `a header that is not ours is refused by name`(offset: Int, value: UInt8, reason: DecodingError.Reason) {
        var bytes = Self.batch.encoded().dropLast(4).map { $0 }
        bytes[offset] = value
        var writer = ByteWriter()
        writer.append(bytes)
        writer.uint32(CRC32C.checksum(bytes[...]))
        #expect(performing: { try Batch(decoding: writer.bytes) }, throws: { ($0 as? DecodingError)?.reason == reason })
    }

    @Test func `an oversized batch is refused before it is read`() {
        #expect(throws: DecodingError(.tooLarge, "batch")) { try Batch(decoding: [UInt8](repeating: 0x46, count: Batch.bytesMax + 1)) }
    }

    @Test func `the largest payload fits a batch`() throws {
        var batch = Self.batch
        batch.device = DeviceId(String(repeating: "d", count: 64))!
        batch.sequence = UInt64(Int64.max)
        batch.span = Batch.spanMax
        batch.resolution = Batch.resolutionMax
        batch.origin = Batch.Origin(stream: .max, sequence: UInt64(Int64.max))
        batch.sealedAt = .min
        batch.payload = [UInt8](repeating: 7, count: Batch.payloadBytesMax)[...]
        let bytes = batch.encoded()
        #expect(bytes.count <= Batch.bytesMax)
        #expect(try Batch(decoding: bytes) == batch)
    }

    @Test func `acknowledgements come back as they were`() throws {
        let acknowledgement = Acknowledgement(
            stream: 7, pace: 20_000,
            runs: [.init(first: 1, count: 40), .init(first: 50, outcome: .refused(reason: "absurd time")), .init(first: 1 << 40, count: 2)])
        #expect(try Acknowledgement(decoding: acknowledgement.encoded()) == acknowledgement)
    }

    @Test func `a long reason is cut at a scalar's end`() throws {
        let acknowledgement = Acknowledgement.unreadable(String(repeating: "ü", count: 500))
        let decoded = try Acknowledgement(decoding: acknowledgement.encoded())
        #expect(decoded.runs.first?.outcome == .refused(reason: String(repeating: "ü", count: 100)))
    }

    @Test(arguments: ["", "a/b", "ü", "a b", String(repeating: "x", count: 65), "a+b", "#", ".", ".."]) func `a bad device id is none`(text: String) {
        #expect(DeviceId(text) == nil)
    }

    @Test func `topics give their device and leaf, and nothing else does`() {
        #expect(Topic.parse("farwatch/v1/edge-1/up")?.device.text == "edge-1")
        #expect(Topic.parse("farwatch/v1/edge-1/down/config")?.leaf == "down/config")
        for topic in ["", "farwatch/v1/", "farwatch/v1//up", "farwatch/v1/edge-1", "farwatch/v2/edge-1/up", "x/farwatch/v1/e/up"] {
            #expect(Topic.parse(topic) == nil)
        }
    }
}
