/// Texts of one kind, each written as what it shares with the start of the one before, and the rest.
struct FrontCoding {
    private var last: [UInt8] = []

    mutating func write(_ text: [UInt8], into writer: inout ByteWriter) {
        let shared = zip(last, text).prefix { $0 == $1 }.count
        writer.varint(UInt64(shared))
        writer.varint(UInt64(text.count - shared))
        writer.append(text[shared...])
        last = text
    }

    /// A text of at most `Block.seriesBytesMax` bytes, without zero bytes.
    mutating func read(from reader: inout ByteReader) throws(DecodingError) -> String {
        let shared = try reader.count("block.series", max: last.count)
        let rest = try reader.count("block.series", max: Block.seriesBytesMax - shared)
        last.removeSubrange(shared...)
        last += try reader.take(rest, "block.series")
        guard let text = String(validating: last, as: UTF8.self), !last.contains(0) else { throw DecodingError(.badText, "block.series") }
        return text
    }
}
