/// The statements of a configuration file, each as its words: without comments, quotes and the signs between.
struct StatementReader {
    /// Words of a statement that are kept, and bytes of a word: what is beyond names no file.
    static let wordsMax = 64
    static let wordBytesMax = 4096

    private let bytes: [UInt8]
    private let syntax: ConfigurationSyntax
    private var offset = 0
    /// Braces that were passed: another number is another section.
    private(set) var braces = 0

    init(_ bytes: [UInt8], _ syntax: ConfigurationSyntax = ConfigurationSyntax()) {
        self.bytes = bytes
        self.syntax = syntax
    }

    /// The next statement that has words; nil at the end. Called from several places, of which each would have its own in the binary.
    @inline(never)
    mutating func next() -> [[UInt8]]? {
        var words: [[UInt8]] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\n"):
                offset += 1
                if !syntax.hasBlocks, !words.isEmpty, !goesOn() { return words }
            case _ where byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") && !syntax.hasBlocks && words.isEmpty:
                while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") { offset += 1 }
            case UInt8(ascii: ";"), UInt8(ascii: "{"), UInt8(ascii: "}"):
                offset += 1
                if Self.isBrace(byte) { braces += 1 }
                if !words.isEmpty { return words }
            case UInt8(ascii: "\\") where offset + 1 < bytes.count && bytes[offset + 1] == UInt8(ascii: "\n"): offset += 2
            case _ where Self.isBetween(byte): offset += 1
            default:
                let word = readWord()
                if words.count < Self.wordsMax { words.append(word) }
            }
        }
        return words.isEmpty ? nil : words
    }

    private func goesOn() -> Bool {
        syntax.hasIndentedLines && offset < bytes.count && (bytes[offset] == UInt8(ascii: " ") || bytes[offset] == UInt8(ascii: "\t"))
    }

    /// Up to the next space or sign outside of quotes. Always takes at least one byte.
    private mutating func readWord() -> [UInt8] {
        var word: [UInt8] = []
        var quote: UInt8?
        while offset < bytes.count {
            var byte = bytes[offset]
            if byte == UInt8(ascii: "\n") { break }
            if let open = quote {
                offset += 1
                if byte == open {
                    quote = nil
                    continue
                }
                if byte == UInt8(ascii: "\\"), open == UInt8(ascii: "\""), offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") {
                    byte = bytes[offset]
                    offset += 1
                }
            } else {
                if Self.isBetween(byte) || byte == UInt8(ascii: ";") || Self.isBrace(byte) && !isVariable(word) { break }
                offset += 1
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    quote = byte
                    continue
                }
            }
            if word.count < Self.wordBytesMax { word.append(byte) }
        }
        return word
    }

    /// `${name}` is a part of a word.
    private func isVariable(_ word: [UInt8]) -> Bool {
        guard let dollar = word.lastIndex(of: UInt8(ascii: "$")) else { return false }
        return dollar == word.count - 1 || word[dollar + 1] == UInt8(ascii: "{")
    }

    private static func isBrace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") }

    private static func isBetween(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == UInt8(ascii: "=") || byte == UInt8(ascii: ",") }
}
