import PostgresDriver
import ServiceSupport

extension StoreError {
    /// - Parameter isWrite: what the server says against a value or a row is said against what was to be written.
    init(_ error: PostgresError, operation: String, place: String, isWrite: Bool = false) {
        self.init(Self.reason(of: error, isWrite: isWrite), operation: operation, path: place, detail: error.complaint)
    }

    private static func reason(of error: PostgresError, isWrite: Bool) -> Reason {
        switch error.reason {
        case .diskFull: .full
        // A statement that takes too long: a question that is too large.
        case .timedOut where !isWrite && error.sqlState == "57014": .tooMuch
        case .tooMuch where !isWrite: .tooMuch
        case .resources where isWrite, .timedOut where isWrite: .overloaded
        case .constraint where error.saysNoPartition: .unavailable
        // A trigger of somebody's raises: against what is to be written.
        case .failed where isWrite && error.sqlState == "P0001": .refused
        case .data, .constraint, .encoding, .tooMuch: isWrite ? .refused : .failed
        case .statement, .transactionAborted, .decoding, .failed, .unsupportedServer: .failed
        case .configuration, .authentication, .tls, .unreachable, .notReady, .tooManyConnections, .readOnly, .resources, .disconnected,
            .outcomeUnknown, .timedOut, .cancelled, .conflict, .locked, .permission, .poolExhausted, .poolClosed:
            .unavailable
        }
    }
}

extension PostgresError {
    /// No partition for a row, which somebody has dropped under our feet: the code of a broken check constraint, but no constraint.
    var saysNoPartition: Bool { sqlState == "23514" && constraint == nil }
}
