import CLinux

/// A file that is read here and there, and never written.
package final class ReadOnlyFile {
    private let fd: Int32
    /// When it was opened, in bytes.
    package let size: Int64

    /// Nil when it cannot be opened, or is no regular file.
    package init?(_ path: String) {
        let fd = farwatch_open(FileName.bytes(of: path), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard fd >= 0 else { return nil }
        var info = stat()
        guard fstat(fd, &info) == 0, farwatch_is_regular(&info) != 0 else {
            close(fd)
            return nil
        }
        self.fd = fd
        size = Int64(info.st_size)
    }

    /// The bytes there; fewer at the end of the file, or where the disk cannot be read.
    package func read(at offset: Int64, count: Int) -> [UInt8] {
        guard offset >= 0, count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let found = pread(fd, buffer.baseAddress! + filled, count - filled, off_t(offset) + off_t(filled))
                if found < 0 && farwatch_errno() == EINTR { continue }
                guard found > 0 else { return }
                filled += found
            }
        }
    }

    deinit { close(fd) }
}
