import LinuxDriver
import Telemetry

/// `disk_read_bytes_total` and `disk_written_bytes_total` of whole disks: `/proc/diskstats` (proc_diskstats(5)).
struct DiskSampler {
    static let disksMax = 32

    private let file: KernelFile
    private var counters = NamedCounters("disk_read_bytes_total", "disk_written_bytes_total", label: "disk", entriesMax: disksMax)

    init(_ tree: SourceTree) { file = KernelFile(tree.path("/proc/diskstats")) }

    mutating func rediscover() { counters.forgetMissing() }

    mutating func sample(into readings: inout [Reading], buffer: inout [UInt8]) {
        let count = file.readWhole(into: &buffer, lineBytesMax: 512)
        let text = buffer.span.extracting(0..<count)
        var cursor = TextCursor()
        counters.begin()
        repeat {
            guard let line = DiskLine(at: &cursor, in: text) else { continue }
            counters.add(line.name, of: text, line.readBytes, line.writtenBytes, into: &readings)
        } while cursor.skipLine(in: text)
    }
}

/// A whole disk's line of `/proc/diskstats`.
struct DiskLine {
    /// Sectors of this file are 512 bytes whatever the disk's own are.
    private static let sectorBytes: Double = 512

    let name: Range<Int>
    let readBytes: Double
    let writtenBytes: Double

    /// Major, minor, name; reads, merged, sectors, milliseconds; the same of writes. Nil for another line.
    init?(at cursor: inout TextCursor, in text: Span<UInt8>) {
        guard cursor.skipFields(2, in: text), let name = cursor.field(in: text), DiskName.isWholeDisk(name, in: text),
            cursor.skipFields(2, in: text), let read = cursor.unsigned(in: text),
            cursor.skipFields(3, in: text), let written = cursor.unsigned(in: text)
        else { return nil }
        self.name = name
        readBytes = Double(read) * Self.sectorBytes
        writtenBytes = Double(written) * Self.sectorBytes
    }
}

/// What a block device is, by its name: only whole disks count, since a partition's and a mapping's bytes are in their disk's already,
/// and loop, ram and zram devices are no disks.
enum DiskName {
    static func isWholeDisk(_ name: Range<Int>, in text: Span<UInt8>) -> Bool {
        let text = text.extracting(name)
        var cursor = TextCursor()
        if cursor.skip("mmcblk", in: text) { return skipDigits(&cursor, in: text) == text.count }
        if cursor.skip("nvme", in: text) {
            guard skipDigits(&cursor, in: text) != nil, cursor.skip("n", in: text) else { return false }
            return skipDigits(&cursor, in: text) == text.count
        }
        guard cursor.skip("sd", in: text) || cursor.skip("vd", in: text) || cursor.skip("xvd", in: text) || cursor.skip("hd", in: text)
        else { return false }
        for index in cursor.index..<text.count where !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(text[index]) { return false }
        return cursor.index < text.count
    }

    /// Where the digits here end; nil when there are none.
    private static func skipDigits(_ cursor: inout TextCursor, in text: Span<UInt8>) -> Int? {
        let start = cursor.index
        cursor.skipDigits(in: text)
        return cursor.index > start ? cursor.index : nil
    }
}
