import CLinux

/// An exclusive lock on a file, for as long as the value lives: one process a buffer, one collector a data directory.
package final class FileLock {
    private let fd: Int32

    /// Nil when another process holds it.
    package init?(_ path: String) throws(SystemError) {
        let fd = farwatch_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard fd >= 0 else { throw .last("open", path) }
        guard flock(fd, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError.last("lock", path)
            close(fd)
            if error.code == EWOULDBLOCK { return nil }
            throw error
        }
        self.fd = fd
    }

    /// Writes a few bytes into the locked file, from its start; they reach the disk when the kernel sees fit.
    package func note(_ bytes: [UInt8]) { _ = pwrite(fd, bytes, bytes.count, 0) }

    /// What was noted, at most `count` bytes.
    package func noted(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let found = pread(fd, &bytes, count, 0)
        return Array(bytes.prefix(max(0, found)))
    }

    deinit { close(fd) }
}
