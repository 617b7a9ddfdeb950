/// The kinds of failure that callers tell apart.
package enum PostgresErrorReason: String, Sendable, CaseIterable {
    /// The connection string, or what it names (a database, a role's setting), is wrong.
    case configuration
    case authentication
    case tls
    /// Nobody answers at the address.
    case unreachable
    /// The server is starting up, shutting down or recovering.
    case notReady = "not_ready"
    case unsupportedServer = "unsupported_server"
    case tooManyConnections = "too_many_connections"
    /// A standby, or a server that was made read-only.
    case readOnly = "read_only"
    case diskFull = "disk_full"
    /// Memory, or another of the server's limits.
    case resources
    /// The connection broke; what was not committed is gone.
    case disconnected
    /// The connection broke during a COMMIT: whether it happened has to be looked up.
    case outcomeUnknown = "outcome_unknown"
    case timedOut = "timed_out"
    case cancelled
    /// A serialization failure or a deadlock: the whole transaction may be tried again.
    case conflict
    /// A lock was not to be had in time.
    case locked
    case constraint
    /// A value that the server refuses.
    case data
    case permission
    /// A statement of ours is wrong, or the schema is not what it expects.
    case statement
    /// The transaction has failed before; only a rollback is possible.
    case transactionAborted = "transaction_aborted"
    /// A value of ours does not fit the parameter's type, or a row the columns.
    case encoding
    /// A value of the server's is not of the type that was asked for.
    case decoding
    /// A bound of the driver's would be passed.
    case tooMuch = "too_much"
    /// No connection of the pool came free in time, or too many wait.
    case poolExhausted = "pool_exhausted"
    case poolClosed = "pool_closed"
    case failed

    /// Whether the same may succeed later without anyone changing a statement, a value or a setting.
    package var isTransient: Bool {
        switch self {
        case .unreachable, .notReady, .tooManyConnections, .readOnly, .diskFull, .resources, .disconnected, .outcomeUnknown, .timedOut, .conflict,
            .locked, .poolExhausted:
            true
        case .configuration, .authentication, .tls, .unsupportedServer, .cancelled, .constraint, .data, .permission, .statement,
            .transactionAborted, .encoding, .decoding, .tooMuch, .poolClosed, .failed:
            false
        }
    }

    /// What a code of the server's means.
    package init(sqlState: String) {
        self = Self.ofCode[sqlState] ?? Self.ofClass[String(sqlState.prefix(2))] ?? .failed
    }

    // protocol_violation is what a value gets that is shorter than its type.
    private static let ofCode: [String: PostgresErrorReason] = [
        "08P01": .data, "0A000": .statement, "22P03": .data, "25006": .readOnly, "25P01": .statement, "25P02": .transactionAborted,
        "25P03": .disconnected,
        "25P04": .disconnected, "26000": .statement, "3D000": .configuration, "40001": .conflict, "40P01": .conflict, "40003": .outcomeUnknown,
        "42501": .permission, "53100": .diskFull, "53300": .tooManyConnections, "55P03": .locked, "57014": .timedOut, "57P01": .disconnected,
        "57P02": .disconnected, "57P03": .notReady, "57P04": .configuration, "57P05": .disconnected,
    ]

    private static let ofClass: [String: PostgresErrorReason] = [
        "08": .disconnected, "21": .statement, "22": .data, "23": .constraint, "28": .authentication, "3F": .statement, "42": .statement,
        "44": .constraint, "53": .resources, "54": .tooMuch, "58": .resources,
    ]
}
