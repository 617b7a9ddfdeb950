import CLinux

/// A failed system call: what was tried, on what, and the kernel's own number.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The `errno` of the failed call.
    package let code: Int32
    /// The call, e.g. `open`.
    package let operation: String
    /// What it was applied to: a path, a host, or nothing.
    package let subject: String

    package init(code: Int32, operation: String, subject: String = "") {
        self.code = code
        self.operation = operation
        self.subject = subject
    }

    /// The error that `errno` tells of right now. Call it directly after the failed call.
    package static func last(_ operation: String, _ subject: String = "") -> SystemError {
        SystemError(code: farwatch_errno(), operation: operation, subject: subject)
    }

    /// The kernel's words for the code.
    package var reason: String { String(cString: strerror(code)) }

    package var description: String {
        return subject.isEmpty ? operation + ": " + reason : subject + ": cannot " + operation + ": " + reason
    }

    package var isPresent: Bool { code == EEXIST }
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    package var isTimedOut: Bool { code == ETIMEDOUT }
    package var isTooLarge: Bool { code == EFBIG }
    package var isClosedPipe: Bool { code == EPIPE }
    package var isReadOnlyFileSystem: Bool { code == EROFS }
    package var isPermission: Bool { code == EACCES || code == EPERM || code == EROFS }
}
