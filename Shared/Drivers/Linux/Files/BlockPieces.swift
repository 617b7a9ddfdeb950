/// A long file of PEM blocks, a piece after the other, each of whole blocks as far as they fit one: so that its length costs no memory.
package struct BlockPieces {
    /// Bytes of a piece: more than the largest block that is taken.
    package static let pieceBytes = 256 * 1024

    private static let begin = Array("-----BEGIN ".utf8)
    private static let end = Array("-----END ".utf8)

    private let file: ReadOnlyFile
    private var offset: Int64 = 0

    /// Nil when it cannot be opened, or is no regular file.
    package init?(_ path: String) {
        guard let file = ReadOnlyFile(path) else { return nil }
        self.file = file
    }

    /// The next piece; nil at the end of what the file had when it was opened.
    package mutating func next() -> [UInt8]? {
        var piece = file.read(at: offset, count: Int(min(Int64(Self.pieceBytes), max(0, file.size - offset))))
        guard !piece.isEmpty else { return nil }
        if offset + Int64(piece.count) < file.size { piece.removeLast(piece.count - Self.cut(piece)) }
        offset += Int64(piece.count)
        return piece
    }

    /// Where the next piece begins: behind the last block that is whole, else at the last that begins, else at what may be half a mark.
    private static func cut(_ piece: [UInt8]) -> Int {
        if let last = last(end, in: piece), let line = piece[last...].firstIndex(of: UInt8(ascii: "\n")) { return line + 1 }
        if let last = last(begin, in: piece), last > 0 { return last }
        return piece.count > begin.count ? piece.count - begin.count : piece.count
    }

    private static func last(_ mark: [UInt8], in piece: [UInt8]) -> Int? {
        guard piece.count >= mark.count else { return nil }
        for start in stride(from: piece.count - mark.count, through: 0, by: -1) where piece[start] == mark[0] {
            if piece[start..<start + mark.count].elementsEqual(mark) { return start }
        }
        return nil
    }
}
