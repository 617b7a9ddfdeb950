import Foundation
import Telemetry
import Testing

/// The files in `Vectors`: what is on the wire (`.hex`) and what it holds (`.json`). They never change: what they hold is on disks. A new
/// one is written as JSON; its bytes are made once, by running these tests with `FARWATCH_WRITE_VECTORS=1`.
struct VectorTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors")
    static let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        .map { String($0.dropLast(5)) }.sorted()

    static func bytes(_ name: String) throws -> [UInt8] {
        let digits = try String(contentsOf: folder.appending(path: name + ".hex"), encoding: .utf8).filter { !$0.isWhitespace }
        return stride(from: 0, to: digits.count, by: 2).map { offset in
            let start = digits.index(digits.startIndex, offsetBy: offset)
            return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)!
        }
    }

    static func content(_ name: String) throws -> VectorContent {
        try JSONDecoder().decode(VectorContent.self, from: Data(contentsOf: folder.appending(path: name + ".json")))
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["FARWATCH_WRITE_VECTORS"] != nil, "only writes vectors, on FARWATCH_WRITE_VECTORS=1"))
    func `new vectors are written`() throws {
        for name in Self.names where !FileManager.default.fileExists(atPath: Self.folder.appending(path: name + ".hex").path) {
            var text = ""
            for (offset, byte) in try Self.content(name).encoded().enumerated() {
                text += String(format: "%02x", byte) + (offset % 64 == 63 ? "\n" : "")
            }
            try (text + "\n").write(to: Self.folder.appending(path: name + ".hex"), atomically: true, encoding: .utf8)
        }
    }

    @Test(arguments: names) func `a vector is read as what it holds`(name: String) throws {
        let content = try Self.content(name)
        let bytes = try Self.bytes(name)
        if let expected = content.block {
            let block = try Block(decoding: bytes[...])
            #expect(block.isIdentical(to: expected.block))
            #expect(try BlockHeader(peeking: bytes[...]).samples == block.sampleCount)
        }
        if let expected = content.batch { #expect(try Batch(decoding: bytes) == expected.batch) }
        if let expected = content.acknowledgement { #expect(try Acknowledgement(decoding: bytes) == expected.acknowledgement) }
    }

    @Test(arguments: names) func `what a vector holds is written in no more bytes`(name: String) throws {
        #expect(try Self.content(name).encoded().count <= Self.bytes(name).count)
    }

    /// A decoder in another language, written from the format page alone, whose tables it reads from the page's text.
    @Test func `the format page suffices to read every vector, and the vectors use all of the format`() throws {
        let python = Process()
        python.executableURL = URL(filePath: "/usr/bin/env")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "decode.py").path
        python.arguments = ["python3", "-B", script] + Self.names.map { Self.folder.appending(path: $0 + ".hex").path }
        let output = Pipe()
        python.standardOutput = output
        try python.run()
        let lines = try output.fileHandleForReading.readToEnd() ?? Data()
        python.waitUntilExit()
        try #require(python.terminationStatus == 0)
        var features: Set<String> = []
        var count = 0
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            let read = try JSONDecoder().decode(VectorContent.self, from: line)
            let name = String(try #require(read.file).dropLast(4))
            #expect(try read.isIdentical(to: Self.content(name)), "\(name)")
            features.formUnion(read.features ?? [])
            count += 1
        }
        #expect(count == Self.names.count)
        let all: Set<String> = [
            "form 0", "form 1…12", "form 13", "constant", "order 0", "order 1", "order 2", "reference", "slope", "scale", "exceptions", "no tokens",
            "table before", "own table", "built-in table", "everywhere", "presence before", "runs", "bitmap", "1 states", "4 states",
            "coded schema", "plain schema", "known shape", "shape before", "new shape", "labels of a shape before", "values before", "new value",
            "known value", "value before", "origin", "span", "resolution", "pace", "committed", "refused",
        ]
        #expect(all.subtracting(features) == [])
    }
}
