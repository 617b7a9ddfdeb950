/// The file systems of `/proc/self/mounts` (fstab(5)) whose fullness means something and can be asked for without waiting on a network.
struct MountTable {
    struct Mount: Equatable {
        /// What is mounted; the same for each bind mount of it.
        let device: [UInt8]
        /// Where, with the escapes undone.
        let path: [UInt8]
    }

    /// Lines that are looked at, of all types: a machine full of containers lists thousands of pseudo file systems.
    static let linesMax = 4096
    /// Mounts that are kept for choosing among, before bind mounts of the same device are told apart.
    static let candidatesMax = 256

    private(set) var mounts: [Mount] = []

    /// Lines that make no sense are passed over.
    init(mounts text: Span<UInt8>) {
        var cursor = TextCursor()
        var lines = 0
        repeat {
            lines += 1
            guard let device = cursor.field(in: text), let path = cursor.field(in: text), let type = cursor.field(in: text) else { continue }
            add(text.bytes(device), MountTable.unescaped(text.bytes(path)), FileSystemType(device: device, path: path, type: type, in: text))
        } while lines < MountTable.linesMax && cursor.skipLine(in: text)
    }

    private mutating func add(_ device: [UInt8], _ path: [UInt8], _ type: FileSystemType) {
        // What was mounted at this place before cannot be reached any more; below a network's mount, asking would wait for its server.
        mounts.removeAll { $0.path == path || (type == .network && Self.isBelow($0.path, path)) }
        guard type == .local, path.first == UInt8(ascii: "/"), mounts.count < MountTable.candidatesMax else { return }
        mounts.append(Mount(device: device, path: path))
    }

    private static func isBelow(_ path: [UInt8], _ parent: [UInt8]) -> Bool {
        path.starts(with: parent) && (parent.last == UInt8(ascii: "/") || path.count > parent.count && path[parent.count] == UInt8(ascii: "/"))
    }

    /// getmntent(3): space, tab, newline and backslash stand as `\040`, `\011`, `\012` and `\134`.
    static func unescaped(_ field: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.count)
        var index = 0
        while index < field.count {
            if field[index] == UInt8(ascii: "\\"), let byte = octal(field, at: index + 1) {
                bytes.append(byte)
                index += 4
            } else {
                bytes.append(field[index])
                index += 1
            }
        }
        return bytes
    }

    private static func octal(_ field: [UInt8], at start: Int) -> UInt8? {
        guard start + 3 <= field.count else { return nil }
        var value = 0
        for byte in field[start..<start + 3] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7") else { return nil }
            value = value * 8 + Int(byte - UInt8(ascii: "0"))
        }
        // A NUL would end the path early.
        return value == 0 ? nil : UInt8(exactly: value)
    }
}

/// What asking a file system how full it is would mean.
enum FileSystemType {
    /// On this machine's own storage.
    case local
    /// Its answer may never come: statfs(2) of a network's file system waits for the server.
    case network
    /// No storage, or always full: pseudo file systems, memory, read-only images.
    case other

    init(device: Range<Int>, path: Range<Int>, type: Range<Int>, in text: Span<UInt8>) {
        let type = text.extracting(type)
        if Self.isNetwork(type) {
            self = .network
        } else if Self.isImage(type) {
            self = .other
        } else if Self.isStorageWithoutDevice(type) {
            self = .local
        } else if Self.equals(type, "overlay") {
            // A container's or a router's root; the overlays elsewhere are other containers' roots.
            self = path.count == 1 ? .local : .other
        } else {
            var cursor = TextCursor()
            self = cursor.skip("/dev/", in: text.extracting(device)) ? .local : .other
        }
    }

    /// FUSE is a network until it is known not to be: `fuseblk` is how local disks with NTFS and exFAT come.
    private static func isNetwork(_ type: Span<UInt8>) -> Bool {
        if equals(type, "fuse") { return true }
        var cursor = TextCursor()
        for prefix: StaticString in [
            "fuse.", "nfs", "cifs", "smb", "ceph", "glusterfs", "lustre", "afs", "ncpfs", "9p", "virtiofs", "ocfs2", "gfs2", "davfs",
        ]
        where cursor.skip(prefix, in: type) { return true }
        return false
    }

    private static func isImage(_ type: Span<UInt8>) -> Bool {
        for name: StaticString in ["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs", "devtmpfs"] where equals(type, name) { return true }
        return false
    }

    /// Raw flash and pools name no device under `/dev`.
    private static func isStorageWithoutDevice(_ type: Span<UInt8>) -> Bool {
        for name: StaticString in ["ubifs", "jffs2", "yaffs2", "zfs"] where equals(type, name) { return true }
        return false
    }

    private static func equals(_ type: Span<UInt8>, _ name: StaticString) -> Bool {
        var cursor = TextCursor()
        return cursor.skip(name, in: type) && cursor.index == type.count
    }
}
