/// The kinds of failure that callers tell apart.
package enum MongoErrorReason: String, Sendable, CaseIterable {
    /// The URI, or what it names, is wrong.
    case configuration
    case authentication
    case tls
    /// No server that is fit for the work answers in time: nobody is there, or there is no primary.
    case unreachable
    case unsupportedServer = "unsupported_server"
    /// The server is no primary any more, or is going down.
    case notPrimary = "not_primary"
    /// The connection broke; what was to be written may be there or not.
    case disconnected
    case timedOut = "timed_out"
    /// Another transaction came first, or the set changed under this one: the whole of it may be tried again.
    case conflict
    /// Whether a transaction was committed cannot be known.
    case outcomeUnknown = "outcome_unknown"
    /// Written, but not on as many servers as was asked for in the time.
    case writeConcern = "write_concern"
    /// A document with that key is there already.
    case duplicate
    /// Another document, with another id, has what a unique index lets be there once.
    case notUnique = "not_unique"
    /// The collection's rules refuse the document.
    case validation
    /// The document is too large or too deep, for the server or for us.
    case tooLarge = "too_large"
    case permission
    case diskFull = "disk_full"
    /// A command of ours is wrong, or the server does not know it.
    case command
    /// A document cannot be written as BSON.
    case encoding
    /// What the server sent is not what was asked for.
    case decoding
    /// A bound of the driver's would be passed.
    case tooMuch = "too_much"
    case poolExhausted = "pool_exhausted"
    case poolClosed = "pool_closed"
    case failed

    /// Whether the same may succeed later without anyone changing a command, a document or a setting.
    package var isTransient: Bool {
        switch self {
        case .unreachable, .notPrimary, .disconnected, .timedOut, .conflict, .outcomeUnknown, .writeConcern, .diskFull, .poolExhausted: true
        case .configuration, .authentication, .tls, .unsupportedServer, .duplicate, .notUnique, .validation, .tooLarge, .permission, .command,
            .encoding, .decoding, .tooMuch, .poolClosed, .failed:
            false
        }
    }

    /// What a code of the server's means: <https://www.mongodb.com/docs/v6.0/reference/error-codes/>.
    package init(code: Int) { self = Self.ofCode[code] ?? .failed }

    private static let ofCode: [Int: MongoErrorReason] = {
        let kinds: [(MongoErrorReason, [Int])] = [
            (.authentication, [18]), (.permission, [13]), (.validation, [121]), (.duplicate, [11_000, 11_001, 12_582]),
            (.notPrimary, [91, 189, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436]), (.disconnected, [6, 7, 89, 9_001]),
            (.timedOut, [50, 202, 262]), (.conflict, [24, 112, 244, 246, 251]), (.writeConcern, [64, 100]), (.diskFull, [14_031]),
            (.tooLarge, [10_334, 15, 17_280, 17_419, 17_420]), (.command, [2, 9, 14, 20, 40, 48, 59, 72, 85, 86, 263]),
        ]
        return Dictionary(kinds.flatMap { reason, codes in codes.map { ($0, reason) } }) { first, _ in first }
    }()
}
