import CLinux

/// Where a command line writes what it was asked for: a new file, or the standard output.
package final class OutputFile {
    private let fd: Int32
    private let isOwned: Bool

    package static var standard: OutputFile? { OutputFile(fd: STDOUT_FILENO) }

    private init(fd: Int32) {
        self.fd = fd
        isOwned = false
    }

    /// Makes the file, or empties it; nil when that cannot be done.
    package init?(_ path: String) {
        let fd = farwatch_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard fd >= 0 else { return nil }
        self.fd = fd
        isOwned = true
    }

    /// Whether all of it was written.
    package func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = CLinux.write(fd, bytes.baseAddress! + offset, bytes.count - offset)
                if count < 0 && farwatch_errno() == EINTR { continue }
                guard count > 0 else { return false }
                offset += count
            }
            return true
        }
    }

    deinit { if isOwned { close(fd) } }
}
