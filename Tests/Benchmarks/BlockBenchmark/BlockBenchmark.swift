import Foundation
import Telemetry

/// Encodes and decodes the blocks of a file, and prints what that took as a JSON object: `block-benchmark FILE`. Exit code 1 when something
/// does not come back to the bit.
@main
struct BlockBenchmark {
    private static let rounds = 15

    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: block-benchmark FILE\n".utf8))
            exit(64)
        }
        let blocks = try TickFile.blocks(at: CommandLine.arguments[1])
        let samples = blocks.reduce(0) { $0 + $1.sampleCount }
        let encoded = blocks.map { $0.encoded() }
        for (block, bytes) in zip(blocks, encoded) where try !isSame(Block(decoding: bytes[...]), block) {
            FileHandle.standardError.write(Data("a block did not come back as it was\n".utf8))
            exit(1)
        }
        let encodeSeconds = best { for block in blocks { keep(block.encoded().count) } }
        let decodeSeconds = try best { for bytes in encoded { keep(try Block(decoding: bytes[...]).columns.count) } }
        // What the decoder writes is 8 bytes a sample: copying them is the least it could take.
        let values = blocks.flatMap { $0.columns.flatMap { $0.values } }
        var copy = [Double](repeating: 0, count: values.count)
        let copySeconds = best {
            copy.withUnsafeMutableBytes { to in values.withUnsafeBytes { to.copyMemory(from: $0) } }
            keep(Int(copy[values.count / 2].bitPattern & 1))
        }
        print(
            """
            {"blocks": \(blocks.count), "samples": \(samples), "bytes": \(encoded.reduce(0) { $0 + $1.count }), \
            "encode_seconds": \(encodeSeconds), "decode_seconds": \(decodeSeconds), "copy_seconds": \(copySeconds)}
            """)
    }

    private static func isSame(_ one: Block, _ other: Block) -> Bool {
        one.timestamps == other.timestamps && one.columns.count == other.columns.count
            && zip(one.columns, other.columns).allSatisfy {
                $0.series == $1.series && $0.presence == $1.presence && $0.values.map(\.bitPattern) == $1.values.map(\.bitPattern)
            }
    }

    /// The best of several rounds: others use the machine too.
    private static func best(_ work: () throws -> Void) rethrows -> Double {
        var least = Double.infinity
        for _ in 0..<rounds {
            let began = ContinuousClock.now
            try work()
            least = min(least, (ContinuousClock.now - began) / .seconds(1))
        }
        return least
    }

    /// So that the work is not left out.
    @inline(never) private static func keep(_ number: Int) { if number == .min { print(number) } }
}
