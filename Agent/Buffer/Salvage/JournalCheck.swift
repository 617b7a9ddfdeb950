import LinuxDriver

/// Whether a write-ahead log was damaged. SQLite takes the first frame with a wrong checksum for the log's end, and what was committed behind it is
/// gone without a word. Frames of this round of the log carry its salts, those of earlier ones others: one that has the salts and the wrong
/// checksum was damaged, or was being written when the power went. <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>
enum JournalCheck {
    private static let headerBytes = 32
    private static let frameHeaderBytes = 24

    /// Not for a log that a power cut may have torn.
    static func isDamaged(_ databasePath: String) -> Bool {
        guard let file = ReadOnlyFile(databasePath + "-wal"), file.size > headerBytes else { return false }
        let header = file.read(at: 0, count: headerBytes)
        guard let log = Log(header) else { return true }
        var sum = Checksum(isBigEndian: log.isBigEndian)
        sum.add(header[..<24])
        guard sum.is(header[24...]) else { return true }
        var isChained = true
        for frame in 0..<PagedFile.framesMax {
            let bytes = file.read(at: Int64(headerBytes + frame * (frameHeaderBytes + log.pageBytes)), count: frameHeaderBytes + log.pageBytes)
            guard bytes.count == frameHeaderBytes + log.pageBytes else { return false }
            let isOfThisRound = bytes[8..<16].elementsEqual(header[16..<24])
            if !isChained {
                // Behind a frame of an earlier round nothing of this one can stand.
                if isOfThisRound { return true }
                continue
            }
            sum.add(bytes[..<8])
            sum.add(bytes[frameHeaderBytes...])
            isChained = isOfThisRound && sum.is(bytes[16..<24])
            if isOfThisRound && !isChained { return true }
        }
        return false
    }

    private struct Log {
        let pageBytes: Int
        let isBigEndian: Bool

        init?(_ header: [UInt8]) {
            guard header.count == headerBytes, header[0] == 0x37, header[1] == 0x7F, header[2] == 0x06, header[3] & 0xFE == 0x82 else { return nil }
            pageBytes = Int(PagedFile.number(header, 8))
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
