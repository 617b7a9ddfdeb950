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
        // The kernel counts descriptors up from 1, and a directory that is watched already keeps its own.
        let descriptor = inotify_add_watch(fd, FileName.bytes(of: directory), UInt32(mask))
        guard descriptor >= 0 else { return false }
        count = max(count, Int(descriptor))
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
