import CLinux

/// Whole files of bounded size: configuration, certificates, and the kernel's text files.
package enum SmallFile {
    /// What `/proc` and `/sys` files are cut at: the largest read here (`/proc/diskstats`) stays far below.
    package static let kernelFileBytesMax = 256 * 1024

    /// The bytes of a regular or kernel file, at most `limit` of them; a longer file is an error (`EFBIG`), so that nothing
    /// is judged by half of it. FIFOs and devices are refused (`EINVAL`) rather than waited for.
    package static func read(_ path: String, limit: Int = kernelFileBytesMax) throws(SystemError) -> [UInt8] {
        // open(2): "O_NONBLOCK … neither the open() nor any subsequent operations … will cause the calling process to wait": a FIFO named
        // by mistake cannot hang us.
        let fd = farwatch_open(FileName.bytes(of: path), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard fd >= 0 else { throw .last("open", path) }
        defer { close(fd) }
        var info = stat()
        guard fstat(fd, &info) == 0 else { throw .last("stat", path) }
        guard farwatch_is_directory(&info) == 0 else { throw SystemError(code: EISDIR, operation: "read", subject: path) }
        guard farwatch_is_regular(&info) != 0 else { throw SystemError(code: EINVAL, operation: "read", subject: path) }
        guard info.st_size <= limit else { throw SystemError(code: EFBIG, operation: "read", subject: path) }

        // Kernel files report a size of 0, so the size is a hint at most.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(limit, max(Int(info.st_size), 1024)) + 1)
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = CLinux.read(fd, &chunk, chunk.count)
            if count < 0 {
                if farwatch_errno() == EINTR { continue }
                throw .last("read", path)
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw SystemError(code: EFBIG, operation: "read", subject: path) }
            bytes.append(contentsOf: chunk[0..<count])
        }
    }

    /// The names in a directory as `FileName` has them, sorted, without `.` and `..`; at most `limit`.
    package static func names(in directory: String, limit: Int = 10_000) throws(SystemError) -> [String] {
        guard let stream = opendir(FileName.bytes(of: directory)) else { throw .last("open", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < limit, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { FileName.text($0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        names.sort()
        return names
    }

    /// Whether it could be renamed; what stands at the new path is replaced.
    package static func rename(_ path: String, to newPath: String) -> Bool { CLinux.rename(path, newPath) == 0 }

    /// Whether it could be renamed to what was not there before (`EEXIST`).
    package static func renameNew(_ path: String, to newPath: String) -> Bool {
        // link(2): "If newpath exists, it will not be overwritten."
        if link(path, newPath) == 0 { return unlink(path) == 0 }
        // "EPERM The filesystem … does not support the creation of hard links", which FAT does not; others say so in other words.
        guard [EPERM, EOPNOTSUPP, ENOSYS].contains(farwatch_errno()) else { return false }
        return renameWithoutLink(path, to: newPath)
    }

    /// The same where a file can have but one name; not every file system can do this either.
    package static func renameWithoutLink(_ path: String, to newPath: String) -> Bool { farwatch_rename_new(path, newPath) == 0 }

    /// Makes an empty file; whether it is there now.
    package static func create(_ path: String) -> Bool {
        let fd = farwatch_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard fd >= 0 else { return false }
        close(fd)
        return true
    }

    /// Makes a file with these bytes, or none; it and its name are on the disk when this says that it worked.
    package static func writeSynced(_ path: String, _ bytes: [UInt8]) -> Bool {
        writeContent(path, bytes, mode: 0o600) && syncDirectory(of: path)
    }

    /// Makes a file with these bytes, or none; they are on the disk when this says that it worked, its name may not be.
    package static func writeContent(_ path: String, _ bytes: [UInt8], mode: UInt32) -> Bool {
        let fd = farwatch_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard fd >= 0 else { return false }
        let isWritten = write(fd, bytes, bytes.count) == bytes.count && fsync(fd) == 0
        close(fd)
        if !isWritten { _ = remove(path) }
        return isWritten
    }

    /// Puts on the disk which names there are beside this one. "Calling fsync() does not necessarily ensure that the entry in the directory containing
    /// the file has also reached disk. For that an explicit fsync() on a file descriptor for the directory is also needed." (fsync(2))
    @discardableResult
    package static func syncDirectory(of path: String) -> Bool {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let fd = farwatch_open(directory, O_RDONLY | O_CLOEXEC, 0)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        return fsync(fd) == 0
    }

    /// Makes a file of this size whose room on the disk is taken; whether that worked.
    package static func allocate(_ path: String, bytes: Int64) -> Bool {
        let fd = farwatch_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        // posix_fallocate(3): "disk space is allocated … subsequent writes … are guaranteed not to fail because of lack of disk space".
        return posix_fallocate(fd, 0, off_t(bytes)) == 0 && ftruncate(fd, off_t(bytes)) == 0
    }

    /// Whether there was a file and it is gone now.
    package static func remove(_ path: String) -> Bool { unlink(path) == 0 }

    package static func exists(_ path: String) -> Bool { access(FileName.bytes(of: path), F_OK) == 0 }

    /// Whether the path is a directory, following symbolic links.
    package static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(FileName.bytes(of: path), &info) == 0 && farwatch_is_directory(&info) != 0
    }

    /// Makes the directory and those above it, as `mkdir -p` does.
    package static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
        if path.isEmpty || isDirectory(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectories(String(path[..<slash]), mode: mode)
        }
        guard mkdir(path, mode) == 0 || farwatch_errno() == EEXIST else { throw .last("make directory", path) }
    }
}
