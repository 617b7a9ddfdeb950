import CLinux

/// A lock on a file, for as long as the value lives: one process a buffer, and for a data directory either one process that changes it or any number
/// that share it.
package final class FileLock {
    private let fd: Int32

    /// Nil when another process holds it: for an exclusive lock in any way, for a shared one exclusively.
    package init?(_ path: String, isShared: Bool = false) throws(SystemError) {
        let fd = farwatch_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard fd >= 0 else { throw .last("open", path) }
        guard flock(fd, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
            let error = SystemError.last("lock", path)
            close(fd)
            if error.code == EWOULDBLOCK { return nil }
            throw error
        }
        self.fd = fd
    }

    /// Writes a few bytes into the locked file, from its start or a place in it; they reach the disk when the kernel sees fit. Where bytes are
    /// written over, most file systems need no room for it.
    package func note(_ bytes: [UInt8], at offset: Int = 0) { _ = pwrite(fd, bytes, bytes.count, off_t(offset)) }

    /// What was noted, at most `count` bytes.
    package func noted(_ count: Int, at offset: Int = 0) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let found = pread(fd, &bytes, count, off_t(offset))
        return Array(bytes.prefix(max(0, found)))
    }

    deinit { close(fd) }

    /// Lets others share what was exclusive. "Converting a lock … is not guaranteed to be atomic: the existing lock is first removed, and then a
    /// new lock is established." (flock(2)); nobody who wants it exclusively waits for it here.
    package func share() { _ = flock(fd, LOCK_SH) }
}
