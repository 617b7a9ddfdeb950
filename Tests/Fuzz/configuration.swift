// Configuration of programs, in every syntax: statements of words within the bytes, and an end.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    for flags in 0..<4 {
        var syntax = ConfigurationSyntax()
        syntax.hasBlocks = flags & 1 != 0
        syntax.hasIndentedLines = flags & 2 != 0
        var reader = StatementReader(bytes, syntax)
        var taken = 0
        while let words = reader.next() {
            guard !words.isEmpty, words.count <= StatementReader.wordsMax else { fatalError("a statement without words, or with too many") }
            taken += words.count
            guard taken <= bytes.count else { fatalError("more words than bytes") }
        }
    }
    return 0
}
