import CLinux

/// What tells one file, and one state of it, from another: stat(2) without opening anything, symbolic links followed.
package struct FileIdentity: Hashable, Sendable {
    package enum Kind: UInt8, Sendable { case regular, directory, other }

    /// The file itself, whatever path leads there.
    package struct Place: Hashable, Sendable {
        package let device: UInt64
        package let inode: UInt64
    }

    package let kind: Kind
    package let place: Place
    /// Bytes.
    package let size: Int64
    /// The last modification, nanoseconds since 1970.
    package let modified: Int64
    /// Every user of the machine may read it.
    package let isReadableByOthers: Bool

    package static func of(_ path: String) throws(SystemError) -> FileIdentity {
        var info = stat()
        guard stat(FileName.bytes(of: path), &info) == 0 else { throw .last("stat", path) }
        let isRegular = farwatch_is_regular(&info) != 0
        // A file system may hold any number as a time: these wrap rather than trap.
        let seconds = Int64(info.st_mtim.tv_sec) &* 1_000_000_000
        return FileIdentity(
            kind: isRegular ? .regular : farwatch_is_directory(&info) != 0 ? .directory : .other,
            place: Place(device: UInt64(info.st_dev), inode: UInt64(info.st_ino)),
            size: Int64(info.st_size),
            modified: seconds &+ Int64(info.st_mtim.tv_nsec),
            isReadableByOthers: info.st_mode & 0o004 != 0)
    }
}

extension FileIdentity {
    /// The path without symbolic links; nil where there is no such file.
    package static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Memory that was freed and that the allocator still keeps.
package enum FreedMemory {
    /// malloc_trim(3) returns free pages to the kernel. A scan needs some memory for a moment; the daemon shall not keep it.
    package static func giveBack() { malloc_trim(0) }
}
