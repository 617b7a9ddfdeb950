import LinuxDriver
import SQLiteDriver

/// Why the buffer could not do what was asked: what was being done, and on which file.
package struct BufferError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// The directory or the file cannot be written.
        case access
        /// Another process has the buffer open.
        case inUse
        /// The disk, or the buffer's own bound, leaves no room.
        case full
        /// The file was written by a newer version of Farwatch.
        case newerVersion
        /// SQLite found the file to be damaged, or no database at all.
        case damaged
        /// The clock is not set: nothing may be sealed under the time that it shows.
        case clockNotSet
        /// Anything else SQLite or the disk says.
        case storage
    }

    package let reason: Reason
    package let path: String
    package let detail: String

    package var description: String { "buffer " + path + ": " + detail }

    package init(_ reason: Reason, _ path: String, _ detail: String) {
        self.reason = reason
        self.path = path
        self.detail = detail
    }

    init(_ error: SQLiteError, _ path: String) {
        // No statement of ours repeats a key; a table that says so is not what we wrote.
        let reason: Reason = error.isAccess ? .access : error.isFull ? .full : error.isCorruption || error.isDuplicateKey ? .damaged : .storage
        self.init(reason, path, error.description)
    }

    init(_ error: SystemError, _ path: String) {
        let isAccess = error.isPermission && !error.isReadOnlyFileSystem || error.isMissing
        self.init(isAccess ? .access : .storage, path, error.description)
    }
}
