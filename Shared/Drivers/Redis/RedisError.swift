/// What Redis or hiredis refused: why, while what was being done, and their own words. Never a password, a key or a value.
package struct RedisError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Closed, so that what follows from it is decided once.
    package let reason: RedisErrorReason
    /// What was being done: `connect`, or a command's name.
    package let operation: String
    /// The first word of the server's answer, e.g. `NOAUTH`; nil when the server did not speak.
    package let code: String?
    /// The server's or hiredis' message.
    package let detail: String

    package init(_ reason: RedisErrorReason, operation: String, code: String? = nil, detail: String) {
        self.reason = reason
        self.operation = operation
        self.code = code
        self.detail = detail
    }

    /// The server's answer: a code in capitals, a space, words.
    package init(answer: String, operation: String) {
        let parts = answer.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let code = parts.first.map(String.init) ?? ""
        let words = parts.count > 1 ? String(parts[1]) : answer
        self.init(RedisErrorReason(code: code, words: words), operation: operation, code: code, detail: Self.told(words))
    }

    /// Whether the same may succeed later.
    package var isTransient: Bool { reason.isTransient }

    /// Whether another server might be reached where this one was not.
    var isOfReach: Bool { [.unreachable, .disconnected, .timedOut, .notReady, .tooManyConnections].contains(reason) }

    /// The same, which tells where it was; but for what names another node itself.
    func at(_ place: String) -> RedisError {
        if reason == .cluster || place.split(separator: ",").contains(where: { detail.contains($0) }) { return self }
        return RedisError(reason, operation: operation, code: code, detail: place + ": " + detail)
    }

    package var description: String {
        let code = code.map { ", " + $0 } ?? ""
        return "Redis cannot " + operation + " (" + reason.rawValue + code + "): " + detail
    }

    private static let detailBytesMax = 300

    /// On one line, without what the server repeats of the arguments.
    private static func told(_ words: String) -> String {
        var told = ""
        for scalar in words.prefix(detailBytesMax).unicodeScalars {
            told.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
        }
        for quote in [", with args", " Node: "] { if let range = told.firstRange(of: quote) { told = String(told[..<range.lowerBound]) } }
        return told
    }
}

/// The kinds of failure that callers tell apart.
package enum RedisErrorReason: String, Sendable, CaseIterable {
    /// The address, or what it names, is wrong.
    case configuration
    case authentication
    case permission
    /// TLS was asked for.
    case tls
    case unreachable
    /// The server is loading its data set, a replica is without its primary, or a cluster without nodes that it needs.
    case notReady = "not_ready"
    case tooManyConnections = "too_many_connections"
    /// A replica.
    case readOnly = "read_only"
    /// `maxmemory` is reached, and nothing may be evicted.
    case outOfMemory = "out_of_memory"
    /// The server takes no writes since it cannot save them, or has too few replicas.
    case writesRefused = "writes_refused"
    /// The server was started anew, or is another one, since it was looked at.
    case anotherRun = "another_run"
    /// A script keeps the server busy.
    case busy
    case noScript = "no_script"
    /// The key is on another node, or keys of one command are on several.
    case cluster
    case wrongType = "wrong_type"
    /// A transaction was given up: one of its commands was refused, or a watched key changed.
    case aborted
    case disconnected
    case timedOut = "timed_out"
    case cancelled
    /// What came is not Redis' protocol.
    case protocolError = "protocol"
    /// A bound of the driver's would be passed.
    case tooMuch = "too_much"
    /// The answer is not of the kind that was expected.
    case decoding
    /// A command that this server does not have.
    case unsupportedServer = "unsupported_server"
    case poolExhausted = "pool_exhausted"
    case poolClosed = "pool_closed"
    case failed

    /// Whether the same may succeed later without anyone changing a command, a value or a setting.
    package var isTransient: Bool {
        switch self {
        case .unreachable, .notReady, .tooManyConnections, .readOnly, .outOfMemory, .writesRefused, .busy, .noScript, .aborted, .disconnected,
            .timedOut, .poolExhausted, .anotherRun:
            true
        case .configuration, .authentication, .permission, .tls, .cluster, .wrongType, .cancelled, .protocolError, .tooMuch, .decoding,
            .unsupportedServer, .poolClosed, .failed:
            false
        }
    }

    private static let ofCode: [String: RedisErrorReason] = [
        "NOAUTH": .authentication, "WRONGPASS": .authentication, "DENIED": .authentication, "NOPERM": .permission, "LOADING": .notReady,
        "MASTERDOWN": .notReady, "TRYAGAIN": .notReady, "READONLY": .readOnly, "OOM": .outOfMemory, "MISCONF": .writesRefused,
        "NOREPLICAS": .writesRefused, "NOGOODSLAVE": .writesRefused, "BUSY": .busy, "NOSCRIPT": .noScript, "MOVED": .cluster, "ASK": .cluster,
        "CROSSSLOT": .cluster, "CLUSTERDOWN": .notReady, "WRONGTYPE": .wrongType, "EXECABORT": .aborted, "NOPROTO": .unsupportedServer,
    ]

    /// - Parameter words: tell apart what has the code `ERR`.
    init(code: String, words: String) {
        if let known = Self.ofCode[code] {
            self = known
        } else if words.hasPrefix("max number of clients") {
            self = .tooManyConnections
        } else if words.hasPrefix("unknown command") || words.hasPrefix("unknown subcommand") {
            self = .unsupportedServer
        } else if words.contains("DB index") || words.hasPrefix("SELECT is not allowed") {
            self = .configuration
        } else if words.hasPrefix("AUTH") || words.contains("invalid password") || words.contains("invalid username-password") {
            self = .authentication
        } else {
            self = .failed
        }
    }
}
