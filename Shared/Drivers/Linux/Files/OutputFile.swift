import CLinux

/// Where a command line writes what it was asked for: the standard output, a device or a pipe as it is, or a file that is there as a whole or not
/// at all: what is written goes to a neighbour that takes the file's name at the end.
package final class OutputFile {
    private let fd: Int32
    private let path: String
    /// The neighbour, while it has not taken the name; nil for what is written as it is.
    private var temporary: String?
    private let isReplacing: Bool

    package static var standard: OutputFile { OutputFile(fd: STDOUT_FILENO) }

    private init(fd: Int32) {
        self.fd = fd
        path = "the standard output"
        isReplacing = false
    }

    /// A file that exists is replaced, or else an error (`EEXIST`).
    package init(_ path: String, replacing isReplacing: Bool) throws(SystemError) {
        self.path = path
        self.isReplacing = isReplacing
        var info = stat()
        if stat(path, &info) == 0, Self.isPlain(info) {
            fd = farwatch_open(path, O_WRONLY | O_CLOEXEC, 0)
        } else {
            // lstat(2), so that a link that leads nowhere counts as there.
            if lstat(path, &info) == 0 {
                if farwatch_is_directory(&info) != 0 { throw SystemError(code: EISDIR, operation: "write", subject: path) }
                guard isReplacing else { throw SystemError(code: EEXIST, operation: "make", subject: path) }
            }
            let neighbour = path + ".partial-" + String(Random.uint64(), radix: 16)
            temporary = neighbour
            fd = farwatch_open(neighbour, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard fd >= 0 else {
            temporary = nil
            throw .last("write", path)
        }
    }

    /// What has no content to lose: a terminal, `/dev/null`, a pipe.
    private static func isPlain(_ info: stat) -> Bool {
        let kind = info.st_mode & mode_t(S_IFMT)
        return kind == mode_t(S_IFCHR) || kind == mode_t(S_IFIFO)
    }

    package func write(_ bytes: [UInt8]) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { CLinux.write(fd, $0.baseAddress! + offset, $0.count - offset) }
            if count < 0 && farwatch_errno() == EINTR { continue }
            guard count > 0 else { throw .last("write", path) }
            offset += count
        }
    }

    /// Gives the file its name, with all that was written on the disk. A file that was never finished is removed.
    package func finish() throws(SystemError) {
        guard let temporary else { return }
        guard fsync(fd) == 0 else { throw .last("write", path) }
        if isReplacing {
            guard rename(temporary, path) == 0 else { throw .last("make", path) }
        } else {
            guard SmallFile.renameNew(temporary, to: path) else { throw .last("make", path) }
        }
        self.temporary = nil
    }

    deinit {
        if let temporary { unlink(temporary) }
        if fd > STDERR_FILENO { close(fd) }
    }
}
