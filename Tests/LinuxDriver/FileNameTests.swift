import Foundation
import LinuxDriver
import Testing

@Suite struct FileNameTests {
    private func bytes(_ text: String) -> [UInt8] {
        FileName.bytes(of: text).dropLast().map { UInt8(bitPattern: $0) }
    }

    @Test func `a name of UTF-8 is what it is`() {
        for name in ["", "a", "caf\u{E9}", "\u{10FFFF}", "\u{1F600}.pem"] {
            #expect(FileName.text(Array(name.utf8)) == name && bytes(name) == Array(name.utf8) && FileName.shown(name) == name)
        }
    }

    @Test func `any bytes are a text that leads back to them, and no other's`() {
        var random = SystemRandomNumberGenerator()
        // Of the private scalars themselves too, which are the bytes F4 8F B8…BB and another.
        let pool: [[UInt8]] = [
            [0xF4, 0x8F, 0xBA, 0x90], [0xF4, 0x8F], [0xE9], [0xC3, 0xA9], [0x41], [0xFF], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF0, 0x9F],
        ]
        var known: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<2_000 {
            let name = (0..<Int.random(in: 1...4, using: &random)).flatMap { _ in pool.randomElement(using: &random) ?? [] }
            let text = FileName.text(name)
            #expect(bytes(text) == name, "\(name)")
            #expect(known.updateValue(name, forKey: Array(text.utf8)) ?? name == name)
        }
    }

    @Test func `bytes that are no text are written out`() {
        #expect(FileName.shown(FileName.text([0x63, 0xE9, 0x2E, 0xC3, 0xA9])) == "c\\xE9.\u{E9}")
    }
}
