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

    deinit { close(fd) }
}
