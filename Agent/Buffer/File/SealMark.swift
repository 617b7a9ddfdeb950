import LinuxDriver
import Telemetry

/// How far a buffer had sealed, noted beside its file, in the lock: SQLite takes a log that was cut or damaged for one that ends earlier, and a
/// buffer that went back in time would give its sequences out twice. A mark that is ahead of the file tells. It is written after what it tells of was
/// forced to disk, and not forced there itself: after a power cut it may be old, never ahead. A salvage writes batches without forcing each: no mark
/// is made until it is done.
struct SealMark: Equatable, Sendable {
    let stream: StreamId
    let newest: Sequence64
    let sealedTick: Int64
    /// The boot it was written in: within one, no power cut can have torn the log.
    let bootId: Int64

    private static let magic: [UInt8] = [0x46, 0x57, 0x4D, 0x31]  // "FWM1"
    private static let bytesCount = 40

    init(stream: StreamId, newest: Sequence64, sealedTick: Int64, bootId: Int64) {
        self.stream = stream
        self.newest = newest
        self.sealedTick = sealedTick
        self.bootId = bootId
    }

    init(_ state: BufferState, bootId: Int64) {
        stream = state.stream
        newest = state.newest
        sealedTick = state.sealedTick
        self.bootId = bootId
    }

    func write(to lock: FileLock) {
        var writer = ByteWriter(capacity: Self.bytesCount)
        writer.append(Self.magic)
        writer.uint64(stream)
        writer.uint64(newest)
        writer.uint64(UInt64(bitPattern: sealedTick))
        writer.uint64(UInt64(bitPattern: bootId))
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        lock.note(writer.bytes)
    }

    /// Nil when there is none, or not a whole one.
    init?(in lock: FileLock) { self.init(lock.noted(Self.bytesCount)) }

    /// The mark beside a buffer that is only looked at.
    init?(beside path: String) {
        guard let file = ReadOnlyFile(path + ".lock") else { return nil }
        self.init(file.read(at: 0, count: Self.bytesCount))
    }

    /// Whether a file begins as a lock with a mark in it does.
    static func isMarked(_ lockPath: String) -> Bool {
        ReadOnlyFile(lockPath)?.read(at: 0, count: magic.count) == magic
    }

    private init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.bytesCount, bytes.starts(with: Self.magic) else { return nil }
        var reader = ByteReader(bytes[4...])
        guard let stream = try? reader.uint64("mark"), let newest = try? reader.uint64("mark"), let tick = try? reader.uint64("mark"),
            let boot = try? reader.uint64("mark"), let checksum = try? reader.uint32("mark"),
            checksum == CRC32C.checksum(bytes[..<(Self.bytesCount - 4)]),
            newest <= BufferState.newestMax, (0...TickRow.numberMax).contains(Int64(bitPattern: tick))
        else { return nil }
        self.stream = stream
        self.newest = newest
        sealedTick = Int64(bitPattern: tick)
        bootId = Int64(bitPattern: boot)
    }

    private var hasSealed: Bool { newest > 0 || sealedTick > 0 }

    /// Whether the file that was marked is gone: none is there, or an empty one, and yet something was sealed, or a log is left of it. SQLite would begin
    /// a new one, and overwrite the log.
    static func isFileGone(_ path: String, _ mark: SealMark?) -> Bool {
        do throws(SystemError) {
            guard try FileIdentity.of(path).size == 0 else { return false }
        } catch { guard error.isMissing else { return false } }
        let journalBytes = (try? FileIdentity.of(path + "-wal"))?.size ?? 0
        return mark?.hasSealed == true || journalBytes > JournalCheck.headerBytes
    }

    /// Whether the file is another than the one that was marked in this boot. After a power cut the mark may be that of the life before; and one that has
    /// salvaged that life still tells of it, until it makes its own mark.
    func isOfAnother(_ state: BufferState, bootId: Int64) -> Bool {
        stream != state.stream && self.bootId == bootId && hasSealed && state.salvage == nil && state.damage == nil
    }
}
