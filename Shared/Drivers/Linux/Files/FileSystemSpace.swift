import CLinux

/// How large a file system is and how much of it is taken, in bytes.
package struct FileSystemSpace: Equatable, Sendable {
    package let size: Double
    package let used: Double
    /// What programs without privileges may still write; smaller than what is free, by what is kept back for root.
    package let available: Double

    package init(size: Double, used: Double, available: Double) {
        self.size = size
        self.used = used
        self.available = available
    }

    /// Asks the kernel about the directory at this path; nil for anything else. Runtimes of containers mount single files, `/etc/hosts` for one.
    package static func ofDirectory(_ path: [UInt8]) -> FileSystemSpace? {
        let path = path + [0]
        return path.withUnsafeBytes { bytes in
            let path = bytes.assumingMemoryBound(to: CChar.self).baseAddress!
            var info = stat()
            guard stat(path, &info) == 0, farwatch_is_directory(&info) != 0 else { return nil }
            var space = statvfs()
            guard statvfs(path, &space) == 0, space.f_blocks > 0 else { return nil }
            // statvfs(3): f_blocks, f_bfree and f_bavail count in units of f_frsize.
            let unit = Double(space.f_frsize)
            return FileSystemSpace(
                size: Double(space.f_blocks) * unit,
                used: Double(space.f_blocks - min(space.f_bfree, space.f_blocks)) * unit,
                available: Double(space.f_bavail) * unit)
        }
    }
}
