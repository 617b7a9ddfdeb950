import LinuxDriver

/// A SQLite database's pages, read without SQLite: from the file, and where its write-ahead log has a newer one, from there. For a file that
/// SQLite will not read; nothing in it is trusted. <https://www.sqlite.org/fileformat2.html>
struct PagedFile {
    /// Pages looked at in one file, 1 GiB of them, and frames in its log.
    static let pagesMax = 262_144
    static let framesMax = 16_384
    private static let headerMagic: [UInt8] = Array("SQLite format 3\0".utf8)

    let pageBytes: Int
    let pageCount: Int
    private let file: ReadOnlyFile?
    private let journal: ReadOnlyFile?
    /// Where in the log a page's versions are, the newest last.
    private let journalOffsets: [Int: [Int64]]

    /// Nil when there is no such file. A last transaction whose end is torn counts as one that was never committed, unless it is known that it was.
    init?(_ path: String, isCommitted: Bool = false) {
        file = ReadOnlyFile(path)
        journal = ReadOnlyFile(path + "-wal")
        guard file != nil || journal != nil else { return nil }
        let frames = journal.flatMap { Self.frames($0, before: isCommitted ? nil : JournalCheck.tornCommit($0)) }
        let header = file?.read(at: 0, count: 32) ?? []
        let isHeader = header.count == 32 && header.starts(with: Self.headerMagic)
        // "The database page size in bytes … or the value 1 representing a page size of 65536".
        let told = isHeader ? Int(header[16]) << 8 | Int(header[17]) : frames?.pageBytes ?? 0
        pageBytes = Self.isPageSize(told) ? told : Int(BufferFile.pageBytes)
        journalOffsets = frames?.pageBytes == pageBytes ? frames?.offsets ?? [:] : [:]
        let inFile = Int(clamping: (file?.size ?? 0) / Int64(pageBytes))
        pageCount = min(Self.pagesMax, max(inFile, journalOffsets.keys.max() ?? 0))
    }

    static func isPageSize(_ bytes: Int) -> Bool { bytes >= 512 && bytes <= 32_768 && bytes & (bytes - 1) == 0 }

    /// Where an image of a page is: a place in the log, or `inDatabase`.
    static let inDatabase: Int64 = -1

    /// All that there is of a page, the newest first. Which one to take but the newest is only asked where that is damaged.
    func images(of number: Int) -> [Int64] {
        guard number >= 1, number <= pageCount else { return [] }
        return (journalOffsets[number] ?? []).reversed() + [Self.inDatabase]
    }

    /// An image of a page; nil where there is none.
    func page(_ number: Int, at image: Int64) -> [UInt8]? {
        let page =
            image == Self.inDatabase
            ? file?.read(at: Int64(number - 1) * Int64(pageBytes), count: pageBytes) : journal?.read(at: image, count: pageBytes)
        return page?.count == pageBytes ? page : nil
    }

    /// The newest of a page.
    func page(_ number: Int) -> [UInt8]? { images(of: number).first.flatMap { page(number, at: $0) } }

    // MARK: The log

    /// The frames of each page, up to the last that ends a transaction. Checksums are not looked at: they end at the first damaged frame, and rows
    /// have their own. Frames of an earlier round of the log have other salts.
    private static func frames(_ journal: ReadOnlyFile, before end: Int?) -> (pageBytes: Int, offsets: [Int: [Int64]])? {
        let header = journal.read(at: 0, count: 32)
        guard header.count == 32 else { return nil }
        let isHeader = header[0] == 0x37 && header[1] == 0x7F && header[2] == 0x06 && header[3] & 0xFE == 0x82
        let told = isHeader ? place(header, 8) : 0
        let pageBytes = isPageSize(told) ? told : Int(BufferFile.pageBytes)
        // The first frame has the salts too.
        let salts = isHeader ? Array(header[16..<24]) : journal.read(at: 40, count: 8)
        var offsets: [Int: [Int64]] = [:]
        var open: [(page: Int, offset: Int64)] = []
        for frame in 0..<(end ?? framesMax) {
            let offset = 32 + Int64(frame) * Int64(pageBytes + 24)
            let head = journal.read(at: offset, count: 24)
            guard head.count == 24 else { break }
            guard head[8..<16].elementsEqual(salts) else { continue }
            open.append((place(head, 0), offset + 24))
            // "For commit records, the size of the database file in pages after the commit. For all other records, zero."
            if number(head, 4) != 0 {
                for (page, offset) in open { offsets[page, default: []].append(offset) }
                open.removeAll()
            }
        }
        return (pageBytes, offsets)
    }

    // MARK: Pages that hold nothing

    /// The pages on the list of free ones, as far as it can be followed: what they hold was deleted.
    func freePages() -> Set<Int> {
        guard let header = page(1), header.starts(with: Self.headerMagic) else { return [] }
        var free: Set<Int> = []
        var trunk = Self.place(header, 32)
        while (2...max(2, pageCount)).contains(trunk), free.insert(trunk).inserted, let page = page(trunk) {
            let count = min(Self.place(page, 4), pageBytes / 4 - 2)
            for index in 0..<count {
                let leaf = Self.place(page, 8 + 4 * index)
                if (2...max(2, pageCount)).contains(leaf) { free.insert(leaf) }
            }
            trunk = Self.place(page, 0)
        }
        return free
    }

    /// A number of four bytes that says where something is, or how large; one that is too large for this machine is too large for any file.
    static func place(_ bytes: [UInt8], _ index: Int) -> Int { Int(clamping: number(bytes, index)) }

    /// A big-endian number of four bytes.
    static func number(_ bytes: [UInt8], _ index: Int) -> UInt32 {
        UInt32(bytes[index]) << 24 | UInt32(bytes[index + 1]) << 16 | UInt32(bytes[index + 2]) << 8 | UInt32(bytes[index + 3])
    }
}
