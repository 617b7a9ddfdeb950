import LinuxDriver
import Telemetry

/// That a damaged buffer is being set aside: noted beside it from before the first rename until the new buffer knows of it, so that whoever is
/// killed in between, or loses power, goes on with it at the next start. What is in the damaged file would be nobody's else.
package struct SettingAside: Equatable, Sendable {
    /// Where it goes to.
    package let kept: String
    let reason: String
    /// How far it had sealed: the new buffer writes its own mark over it.
    let mark: SealMark?

    private static let bytesMax = 16_384
    private static let textBytesMax = 4_096
    /// A SQLite database's other files.
    static let suffixes = ["-wal", "-shm"]

    package init(kept: String, reason: String) { self.init(kept: kept, reason: reason, mark: nil) }

    init(kept: String, reason: String, mark: SealMark?) {
        self.kept = kept
        self.reason = reason
        self.mark = mark
    }

    // MARK: The steps

    /// Before anything else; whether it is on the disk. Without it nothing may be moved: the damaged file would be nobody's, and untold. A disk that
    /// is full gets the room back that was held on it.
    package func note(_ path: String) -> Bool {
        let bytes = encoded()
        if SmallFile.writeSynced(Self.notePath(path), bytes) { return true }
        return DiskReserve.remove(path) && SmallFile.writeSynced(Self.notePath(path), bytes)
    }

    /// Renames what is not renamed yet, the database last: when that is there, all is. Whether it is.
    package func move(_ path: String, steps: Int = .max) -> Bool {
        guard !SmallFile.exists(kept) else { return true }
        var left = steps
        for suffix in Self.suffixes where left > 0 && SmallFile.exists(path + suffix) {
            guard SmallFile.rename(path + suffix, to: kept + suffix) else { return false }
            left -= 1
        }
        guard left > 0, SmallFile.exists(path) ? SmallFile.rename(path, to: kept) : SmallFile.create(kept) else { return false }
        SmallFile.syncDirectory(of: path)
        return true
    }

    /// After the new buffer knows of it.
    func forget(_ path: String) {
        if SmallFile.remove(Self.notePath(path)) { SmallFile.syncDirectory(of: path) }
    }

    /// What was begun and not finished at this path. A note that is not whole was not on the disk before the first rename: nothing was renamed.
    static func unfinished(_ path: String) -> SettingAside? {
        guard SmallFile.exists(notePath(path)) else { return nil }
        guard let bytes = try? SmallFile.read(notePath(path), limit: bytesMax), let found = SettingAside(decoding: bytes) else {
            _ = SmallFile.remove(notePath(path))
            return nil
        }
        return found
    }

    /// Whether a file was set aside here and the one after it does not know of it yet.
    static func isUnderWay(_ path: String) -> Bool { SmallFile.exists(notePath(path)) }

    private static func notePath(_ path: String) -> String { path + ".aside" }

    // MARK: The note

    private func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        SalvageProgress(path: kept, mark: mark).write(to: &writer)
        writer.text(reason.utf8.count <= Self.textBytesMax ? reason : "damaged")
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }

    private init?(decoding bytes: [UInt8]) {
        guard bytes.count > 4 else { return nil }
        let body = bytes[..<(bytes.count - 4)]
        var tail = ByteReader(bytes[(bytes.count - 4)...])
        var reader = ByteReader(body)
        guard (try? tail.uint32("aside.checksum")) == CRC32C.checksum(body), let progress = try? SalvageProgress(from: &reader),
            let reason = try? reader.text("aside.reason", max: Self.textBytesMax)
        else { return nil }
        self.init(kept: progress.path, reason: reason, mark: progress.mark)
    }
}
