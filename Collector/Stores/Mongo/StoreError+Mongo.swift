import MongoDriver
import ServiceSupport

extension StoreError {
    /// - Parameter isWrite: what the server says against a document is said against what was to be written.
    init(_ error: MongoError, operation: String, place: String, isWrite: Bool = false) {
        self.init(Self.reason(of: error, isWrite: isWrite), operation: operation, path: place, detail: error.description)
    }

    private static func reason(of error: MongoError, isWrite: Bool) -> Reason {
        switch error.reason {
        case .diskFull: .full
        case .validation, .tooLarge, .encoding, .notUnique: isWrite ? .refused : .failed
        // A question that is too large.
        case .timedOut where !isWrite && error.code == 50: .tooMuch
        case .tooMuch: isWrite ? .refused : .tooMuch
        case .decoding, .command, .failed: .failed
        case .configuration, .authentication, .tls, .unreachable, .unsupportedServer, .notPrimary, .disconnected, .timedOut, .conflict,
            .outcomeUnknown, .writeConcern, .duplicate, .permission, .poolExhausted, .poolClosed:
            .unavailable
        }
    }
}
