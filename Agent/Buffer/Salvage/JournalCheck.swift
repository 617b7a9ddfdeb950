import LinuxDriver

/// Whether a write-ahead log was damaged. SQLite takes the first frame with a wrong checksum for the log's end, and what was committed behind it is
/// gone without a word. <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>
///
/// A chain of checksums that breaks is no damage by itself. Frames of an earlier round of the log have other salts. And a transaction that was
/// rolled back, or killed, leaves frames with this round's salts, of which the next ones overwrite some: but no frame that commits, since SQLite writes that one
/// last. So there is damage where a frame of this round commits, at the break or behind it. One that commits is itself torn only when the process was killed
/// between its two writes; that is taken for damage too: a frame that was flipped looks the same, and would cost what it committed.
enum JournalCheck {
    static let headerBytes = 32
    private static let frameHeaderBytes = 24

    /// Not for a log that a power cut may have torn: of the last transactions any frames may be there.
    static func isDamaged(_ databasePath: String) -> Bool {
        guard let file = ReadOnlyFile(databasePath + "-wal"), file.size > headerBytes else { return false }
        guard let chain = Chain(file) else { return true }
        return chain.commitsAtBreak || chain.commitsBehind
    }

    /// The frame that commits and is not whole, with nothing committed behind it: one whose process was killed while it wrote it, or damage that
    /// looks the same.
    static func tornCommit(_ journal: ReadOnlyFile) -> Int? {
        guard let chain = Chain(journal), chain.commitsAtBreak, !chain.commitsBehind else { return nil }
        return chain.wholeFrames
    }

    /// How far the checksums hold, and whether frames of this round commit where they do not.
    private struct Chain {
        private(set) var wholeFrames = 0
        private(set) var commitsAtBreak = false
        private(set) var commitsBehind = false

        /// Nil where the header is not whole.
        init?(_ file: ReadOnlyFile) {
            let header = file.read(at: 0, count: headerBytes)
            guard let log = Log(header) else { return nil }
            var sum = Checksum(isBigEndian: log.isBigEndian)
            sum.add(header[..<24])
            guard sum.is(header[24...]) else { return nil }
            for frame in 0..<PagedFile.framesMax {
                let bytes = file.read(
                    at: Int64(headerBytes) + Int64(frame) * Int64(frameHeaderBytes + log.pageBytes), count: frameHeaderBytes + log.pageBytes)
                guard bytes.count == frameHeaderBytes + log.pageBytes else { return }
                let isOfThisRound = bytes[8..<16].elementsEqual(header[16..<24])
                if frame == wholeFrames {
                    sum.add(bytes[..<8])
                    sum.add(bytes[frameHeaderBytes...])
                    if isOfThisRound && sum.is(bytes[16..<24]) {
                        wholeFrames += 1
                        continue
                    }
                }
                // "For commit records, the size of the database file in pages after the commit. For all other records, zero."
                guard isOfThisRound, PagedFile.number(bytes, 4) != 0 else { continue }
                if frame == wholeFrames { commitsAtBreak = true } else { commitsBehind = true }
            }
        }
    }

    private struct Log {
        let pageBytes: Int
        let isBigEndian: Bool

        init?(_ header: [UInt8]) {
            guard header.count == headerBytes, header[0] == 0x37, header[1] == 0x7F, header[2] == 0x06, header[3] & 0xFE == 0x82 else { return nil }
            pageBytes = PagedFile.place(header, 8)
            isBigEndian = header[3] & 1 == 1
            guard PagedFile.isPageSize(pageBytes) else { return nil }
        }
    }

    /// "The checksum is computed by interpreting the input as an even number of unsigned 32-bit integers."
    private struct Checksum {
        let isBigEndian: Bool
        private var first: UInt32 = 0
        private var second: UInt32 = 0

        init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

        mutating func add(_ bytes: ArraySlice<UInt8>) {
            bytes.withUnsafeBytes { bytes in
                for index in stride(from: 0, to: bytes.count - 7, by: 8) {
                    first &+= word(bytes, index) &+ second
                    second &+= word(bytes, index + 4) &+ first
                }
            }
        }

        private func word(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt32 {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)
            return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
        }

        /// Whether these eight bytes are this checksum; they are big-endian always.
        func `is`(_ bytes: ArraySlice<UInt8>) -> Bool {
            let found = Array(bytes)
            return PagedFile.number(found, 0) == first && PagedFile.number(found, 4) == second
        }
    }
}
