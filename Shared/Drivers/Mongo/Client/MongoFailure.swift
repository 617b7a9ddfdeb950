import CMongo
import LinuxDriver

/// Makes typed errors of what libmongoc reports.
struct MongoFailure {
    let operation: String
    let options: MongoOptions

    /// - Parameter reply: what the server said; empty when it said nothing.
    func error(_ error: bson_error_t, reply: BSONDocument = BSONDocument()) -> MongoError {
        let labels = Set((reply["errorLabels"]?.array ?? []).compactMap { $0.text })
        let message = options.withoutSecrets(Self.message(of: error))
        if let refused = refusedWrite(reply, labels) { return refused }
        // With version 2 of the error interface "all errors reported from the server have domain MONGOC_ERROR_SERVER" or …WRITE_CONCERN.
        switch error.domain {
        case MONGOC_ERROR_SERVER.rawValue, MONGOC_ERROR_WRITE_CONCERN.rawValue:
            var reason = Self.reason(MongoErrorReason(code: Int(error.code)), of: message)
            if reason == .failed, error.domain == MONGOC_ERROR_WRITE_CONCERN.rawValue { reason = .writeConcern }
            return MongoError(reason, operation: operation, code: Int(error.code), detail: MongoDetail.clean(message), labels: labels)
        default:
            let reason = Self.reason(error, message)
            if let certificate = certificateProblem(reason) {
                return MongoError(.tls, operation: operation, detail: certificate + "; libmongoc says: " + MongoDetail.clean(message), labels: labels)
            }
            return MongoError(reason, operation: operation, detail: MongoDetail.clean(message), labels: labels)
        }
    }

    private func certificateProblem(_ reason: MongoErrorReason) -> String? {
        guard let file = options.certificateFile, [.unreachable, .disconnected, .tls].contains(reason) else { return nil }
        return ClientCertificate.problem(in: file, at: Clock.system.wall())
    }

    /// The first write of a bulk that the server refused, or its complaint that too few servers have what was written.
    private func refusedWrite(_ reply: BSONDocument, _ labels: Set<String>) -> MongoError? {
        if let first = reply["writeErrors"]?.array?.first?.document, let code = first["code"]?.integer {
            let message = first["errmsg"]?.text ?? ""
            let reason = Self.reason(MongoErrorReason(code: Int(code)), of: message)
            let said = MongoDetail.clean(options.withoutSecrets(message))
            let broken = reason == .validation ? first["errInfo"]?.document.flatMap(ValidationDetail.text) : nil
            return MongoError(reason, operation: operation, code: Int(code), detail: broken.map { said + ": " + $0 } ?? said, labels: labels)
        }
        if let first = reply["writeConcernErrors"]?.array?.first?.document, let code = first["code"]?.integer {
            let reason = MongoErrorReason(code: Int(code))
            return MongoError(
                reason == .failed ? .writeConcern : reason, operation: operation, code: Int(code),
                detail: MongoDetail.clean(first["errmsg"]?.text ?? ""), labels: labels)
        }
        return nil
    }

    /// "E11000 duplicate key error collection: farwatch.devices index: deviceId_1 dup key: …": an id that is taken may be one's own, made meanwhile.
    private static func reason(_ reason: MongoErrorReason, of message: String) -> MongoErrorReason {
        guard reason == .duplicate, let start = message.firstRange(of: " index: ")?.upperBound else { return reason }
        return message[start...].hasPrefix("_id_ ") ? .duplicate : .notUnique
    }

    private static func message(of error: bson_error_t) -> String { withUnsafePointer(to: error) { String(cString: farwatch_mongo_message($0)) } }

    /// Of a failure that libmongoc found itself. What happened to the connection is in the words of "no suitable servers" alone.
    private static func reason(_ error: bson_error_t, _ message: String) -> MongoErrorReason {
        let words: [(String, MongoErrorReason)] = [
            ("TLS handshake failed", .tls), ("certificate", .tls), ("Authentication failed", .authentication),
            ("uthentication", .authentication), ("wire version", .unsupportedServer), ("requires at least", .unsupportedServer),
        ]
        if let found = words.first(where: { message.contains($0.0) }) { return found.1 }
        switch error.domain {
        case MONGOC_ERROR_SERVER_SELECTION.rawValue: return .unreachable
        case MONGOC_ERROR_STREAM.rawValue: return .disconnected
        case MONGOC_ERROR_BSON.rawValue: return .encoding
        case MONGOC_ERROR_CLIENT.rawValue where error.code == UInt32(MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue): return .authentication
        case MONGOC_ERROR_COMMAND.rawValue, MONGOC_ERROR_TRANSACTION.rawValue: return .command
        default: return .failed
        }
    }
}
