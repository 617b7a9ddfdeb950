import CLinux

/// Notices changes of names and files in directories, by inotify(7). What changed is not told: whoever cares looks again.
package final class DirectoryWatch {
    /// Directories that are watched: each costs the kernel about a kilobyte, and a user has 8,192 of them on old kernels.
    package static let directoriesMax = 512
    private static let eventBytesMax = 4096

    /// Becomes readable with a change; closed with this object.
    package let fd: Int32
    private var count = 0

    package init() throws(SystemError) {
        fd = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard fd >= 0 else { throw .last("watch directories") }
    }

    deinit { close(fd) }

    /// False for a directory that cannot be watched: it is none, or there are too many.
    @discardableResult
    package func add(_ directory: String) -> Bool {
        guard count < Self.directoriesMax else { return false }
        // A file that was written counts when it is closed, not for each write.
        let mask = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_ONLYDIR
        guard FileName.withBytes(of: directory, { inotify_add_watch(fd, $0, UInt32(mask)) }) >= 0 else { return false }
        count += 1
        return true
    }

    /// Takes what has happened: whether there was anything.
    package func drain() -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.eventBytesMax)
        var found = false
        while read(fd, &buffer, buffer.count) > 0 { found = true }
        return found
    }
}
