/// How a program writes its configuration down, as far as names of files are concerned.
struct ConfigurationSyntax {
    /// A statement ends at `;` and braces, not at the line's end.
    var hasBlocks = false
    /// A line that begins with a space goes on with the one before.
    var hasIndentedLines = false
    /// Each word of a statement may be a directive; otherwise the first alone.
    var hasInnerWords = false
    /// Directives are the same in either case of letters.
    var ignoresCase = false
    /// All words behind a directive are names.
    var hasSeveralNames = false
    /// A directive may have something in front: `smtpd_tls_cert_file` for `_tls_cert_file`.
    var hasPrefixes = false
    /// Its files are read as if they were one: what one of them sets holds in those behind it.
    var isOneScope = false

    init(_ words: ArraySlice<[UInt8]>) {
        for word in words {
            if word.elementsEqual("blocks".utf8) { hasBlocks = true }
            if word.elementsEqual("indented".utf8) { hasIndentedLines = true }
            if word.elementsEqual("inner".utf8) { hasInnerWords = true }
            if word.elementsEqual("either_case".utf8) { ignoresCase = true }
            if word.elementsEqual("several".utf8) { hasSeveralNames = true }
            if word.elementsEqual("prefixes".utf8) { hasPrefixes = true }
            if word.elementsEqual("one_scope".utf8) { isOneScope = true }
        }
    }

    init() {}

    /// Whether a word is the directive.
    func matches(_ word: [UInt8], _ directive: [UInt8]) -> Bool {
        guard word.count == directive.count || hasPrefixes && word.count > directive.count else { return false }
        let end = word[(word.count - directive.count)...]
        guard ignoresCase else { return end.elementsEqual(directive) }
        return end.elementsEqual(directive) { Self.lower($0) == Self.lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
