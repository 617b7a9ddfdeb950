/// The rows of one leaf page of a table, read with every length checked. <https://www.sqlite.org/fileformat2.html#b_tree_pages>
struct TableLeaf {
    /// A value of a row.
    enum Value: Equatable {
        case null
        case integer(Int64)
        case blob([UInt8])

        var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
        var blob: [UInt8]? { if case .blob(let bytes) = self { bytes } else { nil } }
    }

    struct Row: Equatable {
        let id: Int64
        let values: [Value]
    }

    /// What the largest row takes: unsealed ticks of many readings.
    static let payloadBytesMax = 4 * 1024 * 1024
    private static let columnsMax = 16
    /// "A value of 13 (0x0d) means the page is a leaf table b-tree page."
    private static let kind: UInt8 = 13

    private let file: PagedFile
    private let page: [UInt8]
    let cells: Int

    /// Nil for a page of another kind.
    init?(_ page: [UInt8], of file: PagedFile) {
        guard page.count >= 8, page[0] == Self.kind else { return nil }
        self.file = file
        self.page = page
        let cells = Int(page[3]) << 8 | Int(page[4])
        guard 8 + 2 * cells <= page.count else { return nil }
        self.cells = cells
    }

    /// A row; nil where its bytes cannot be one.
    func row(_ cell: Int) -> Row? {
        let pointer = 8 + 2 * cell
        var index = Int(page[pointer]) << 8 | Int(page[pointer + 1])
        guard let size = Self.varint(page, &index), let id = Self.varint(page, &index), size <= Self.payloadBytesMax,
            let payload = payload(Int(size), at: index), let values = Self.values(payload)
        else { return nil }
        return Row(id: Int64(bitPattern: id), values: values)
    }

    /// The payload: what is on the page, and the rest from its chain of overflow pages.
    private func payload(_ size: Int, at index: Int) -> [UInt8]? {
        let usable = page.count
        let localMax = usable - 35
        if size <= localMax { return index + size <= usable ? Array(page[index..<index + size]) : nil }
        // "Let M be ((U-12)*32/255)-23 and let K be M+((P-M)%(U-4))": K bytes are on the page where they fit, else M.
        let least = (usable - 12) * 32 / 255 - 23
        let surplus = least + (size - least) % (usable - 4)
        let local = surplus <= localMax ? surplus : least
        guard index + local + 4 <= usable else { return nil }
        var payload = Array(page[index..<index + local])
        var next = PagedFile.place(page, index + local)
        var passed: Set<Int> = []
        while payload.count < size {
            // A chain that comes back to itself is none.
            guard passed.insert(next).inserted, let overflow = file.page(next) else { return nil }
            payload += overflow[4..<min(usable, 4 + size - payload.count)]
            next = PagedFile.place(overflow, 0)
        }
        return payload
    }

    // MARK: Records

    private static func values(_ payload: [UInt8]) -> [Value]? {
        var index = 0
        guard let headerSize = varint(payload, &index), headerSize <= payload.count else { return nil }
        var types: [UInt64] = []
        while index < headerSize {
            guard types.count < columnsMax, let type = varint(payload, &index) else { return nil }
            types.append(type)
        }
        guard index == headerSize else { return nil }
        var values: [Value] = []
        for type in types {
            guard let value = value(type, payload, &index) else { return nil }
            values.append(value)
        }
        return values
    }

    private static func value(_ type: UInt64, _ payload: [UInt8], _ index: inout Int) -> Value? {
        switch type {
        case 0: return .null
        case 1...6:
            let width = [1, 2, 3, 4, 6, 8][Int(type) - 1]
            guard index + width <= payload.count else { return nil }
            var number = Int64(Int8(bitPattern: payload[index]))
            for byte in payload[index + 1..<index + width] { number = number << 8 | Int64(byte) }
            index += width
            return .integer(number)
        case 8, 9: return .integer(Int64(type) - 8)
        case 12...:
            let (length, isText) = ((type - 12) / 2, type % 2 == 1)
            guard length <= payload.count - index else { return nil }
            defer { index += Int(length) }
            // No table of ours has a text.
            return isText ? .null : .blob(Array(payload[index..<index + Int(length)]))
        default: return nil
        }
    }

    /// SQLite's varint: big-endian, seven bits a byte, all eight of a ninth.
    private static func varint(_ bytes: [UInt8], _ index: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for count in 1...9 {
            guard index < bytes.count else { return nil }
            let byte = bytes[index]
            index += 1
            if count == 9 { return value << 8 | UInt64(byte) }
            value = value << 7 | UInt64(byte & 0x7F)
            if byte & 0x80 == 0 { return value }
        }
        return value
    }
}
