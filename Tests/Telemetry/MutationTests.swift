import Foundation
import Telemetry
import Testing

/// The test vectors with bytes changed, removed, put in and taken from one another. `FARWATCH_TEST_MUTATIONS` says how many of each; the seed
/// is the test's argument.
struct MutationTests {
    static let count = Int(ProcessInfo.processInfo.environment["FARWATCH_TEST_MUTATIONS"] ?? "") ?? 300
    static let vectors = VectorTests.names.compactMap { try? VectorTests.bytes($0) }

    static func mutated(_ bytes: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0...4, using: &random) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
            default:
                let other = vectors.randomElement(using: &random)!
                let from = Int.random(in: other.indices, using: &random)
                bytes.replaceSubrange(place..<min(bytes.count, place + 8), with: other[from..<min(other.count, from + 8)])
            }
        }
        return bytes
    }

    @Test(arguments: vectors.indices) func `a mutated vector is read or ends in a typed error, and what is read comes back`(vector: Int) throws {
        var random = Seeded(state: UInt64(vector) &+ 77)
        for _ in 0..<Self.count {
            let bytes = Self.mutated(Self.vectors[vector], &random)
            if let block = try? Block(decoding: bytes[...]) { #expect(try Block(decoding: block.encoded()[...]).isIdentical(to: block)) }
            for candidate in [bytes, Self.withChecksum(bytes)] {
                if let batch = try? Batch(decoding: candidate) { #expect(try Batch(decoding: batch.encoded()) == batch) }
                if let acknowledgement = try? Acknowledgement(decoding: candidate) {
                    #expect(try Acknowledgement(decoding: acknowledgement.encoded()) == acknowledgement)
                }
            }
        }
    }

    /// So that what stands in front of a checksum is looked at.
    static func withChecksum(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(bytes.dropLast(4))
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }

    @Test func `every truncation of a block is refused`() throws {
        for bytes in Self.vectors where bytes.first == 2 {
            for length in stride(from: 0, to: bytes.count, by: 1 + bytes.count / 500) {
                #expect(throws: DecodingError.self) { try Block(decoding: bytes[..<length]) }
            }
        }
    }

    @Test func `few bytes unfold into no more than the limits say`() throws {
        // 65,536 ticks, 16 columns, all constant: the most that 65,536 bytes or fewer can stand for.
        let names = (0..<16).map { Series("m\($0)") }
        let ticks = (0..<Block.ticksMax).map { index in Tick(at: Int64(index), readings: names.map { Reading($0, 5) }) }
        var bytes = Block(ticks).encoded()
        #expect(bytes.count < 200)
        #expect(try Block(decoding: bytes[...]).sampleCount == Block.samplesMax)
        // One more column is refused by the header, before anything is made of it.
        #expect(bytes[4] == 16)
        bytes[4] = 17
        #expect(throws: DecodingError(.tooLarge, "block.columns")) { try Block(decoding: bytes[...]) }
    }
}
