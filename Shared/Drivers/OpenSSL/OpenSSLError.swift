import COpenSSL

/// What libcrypto refused: which operation, why, and the library's own number and words from its error queue.
package struct OpenSSLError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: UInt8, Sendable {
        /// The bytes are no certificate, or a damaged one.
        case malformed = 1
        /// More bytes than a certificate may have here.
        case tooLarge = 2
        /// libcrypto could not get memory or an object that it always has.
        case exhausted = 3
        /// A trust store refused an anchor or a directory.
        case refused = 4
        /// It is encrypted, and no password at hand opens it.
        case locked = 5

        package var name: String {
            switch self {
            case .malformed: "malformed"
            case .tooLarge: "too large"
            case .exhausted: "out of memory"
            case .refused: "refused"
            case .locked: "locked by another password"
            }
        }
    }

    package let reason: Reason
    /// What was tried, e.g. `read certificate`.
    package let operation: String
    /// The packed number of the queue's oldest entry (ERR_get_error(3)); 0 when the queue was empty.
    package let code: UInt
    /// The reasons in the queue, oldest first, joined by `; `.
    package let text: String

    /// Entries of the queue that are told; the queue itself holds 16.
    static let entriesToldMax = 4
    private static let entryBytesMax = 256

    init(_ reason: Reason, _ operation: String, code: UInt = 0, text: String = "") {
        self.reason = reason
        self.operation = operation
        self.code = code
        self.text = text
    }

    /// What our own parser refused.
    package init(malformed operation: String) { self.init(.malformed, operation) }

    package var description: String {
        operation + ": " + reason.name + (text.isEmpty ? "" : " (" + text + ")")
    }

    /// The error that the queue tells of right now; leaves the queue empty.
    static func last(_ reason: Reason, _ operation: String) -> OpenSSLError {
        var first: UInt = 0
        var text = ""
        var told = 0
        while told < entriesToldMax {
            let code = UInt(ERR_get_error())
            if code == 0 { break }
            if first == 0 { first = code }
            text += (text.isEmpty ? "" : "; ") + words(of: code)
            told += 1
        }
        clearQueue()
        return OpenSSLError(reason, operation, code: first, text: text)
    }

    /// ERR_clear_error(3) empties the thread's queue: what we did not ask about must not explain another's failure.
    static func clearQueue() { ERR_clear_error() }

    private static func words(of code: UInt) -> String {
        var buffer = [CChar](repeating: 0, count: entryBytesMax)
        // ERR_error_string_n(3) writes no more than the length it is given, the terminating 0 included.
        ERR_error_string_n(numericCast(code), &buffer, buffer.count)
        return EscapedText.visible(bytes: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, escapesBackslash: false)
    }
}
