import SQLiteDriver

/// What a store could not do, whatever its make. "Not found" and "already there" are values, not errors.
package struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable {
        /// The directory or file cannot be made or written.
        case notWritable = "not_writable"
        /// Written by a newer Farwatch than this one.
        case newerSchema = "newer_schema"
        /// Written by an unreleased Farwatch, in a format that is not read any more.
        case olderFormat = "older_format"
        case damaged
        case full
        /// Down or busy: worth trying again.
        case unavailable
        /// The answer would pass a bound; narrow the question. Of what was to be written: too much for once, less may be taken.
        case tooMuch = "too_much"
        /// It took more time or memory than the store has: later it may have, or what was to be written is too much for once.
        case overloaded
        /// What was to be written will never be taken, however often it is tried; the store itself is well.
        case refused
        /// The store could not run a statement of ours.
        case failed
    }

    package let reason: Reason
    package let operation: String
    /// The store's place, e.g. a file, and its own words.
    package let path: String
    package let detail: String

    package init(_ reason: Reason, operation: String, path: String, detail: String) {
        self.reason = reason
        self.operation = operation
        self.path = path
        self.detail = detail
    }

    package init(_ error: SQLiteError, operation: String, path: String) {
        let reason: Reason =
            error.isCorruption
            ? .damaged : error.isFull ? .full : error.isBusy ? .unavailable : error.isAccess ? .notWritable : error.isRefusal ? .refused : .failed
        self.init(reason, operation: operation, path: path, detail: error.description)
    }

    package var description: String { path + ": cannot " + operation + " (" + reason.rawValue + "): " + detail }
}
