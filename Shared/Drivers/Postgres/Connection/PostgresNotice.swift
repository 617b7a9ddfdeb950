import CPostgres

/// Something that the server tells without refusing anything.
package struct PostgresNotice: Equatable, Sendable {
    /// `WARNING`, `NOTICE`, `INFO`, …, in English.
    package let severity: String
    package let sqlState: String
    package let message: String
}

/// Where libpq's callback finds the handler of its connection.
final class NoticeReceiver {
    private let handler: @Sendable (PostgresNotice) -> Void
    private var warning: PostgresNotice?

    init(_ handler: @escaping @Sendable (PostgresNotice) -> Void) { self.handler = handler }

    /// The receiver has to live as long as the connection: libpq keeps the pointer, and so does every result of it.
    func attach(to connection: OpaquePointer) {
        PQsetNoticeReceiver(
            connection,
            { receiver, result in
                guard let receiver, let result else { return }
                Unmanaged<NoticeReceiver>.fromOpaque(receiver).takeUnretainedValue().receive(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func receive(_ result: OpaquePointer) {
        let sqlState = ResultField.sqlState.of(result) ?? ""
        let notice = PostgresNotice(
            severity: ResultField.severity.of(result) ?? "", sqlState: sqlState,
            message: PostgresDetail.clean(ResultField.message.of(result) ?? "", sqlState: sqlState))
        if notice.severity == "WARNING" { warning = notice }
        handler(notice)
    }

    func takeWarning() -> PostgresNotice? {
        defer { warning = nil }
        return warning
    }
}

/// The fields of an error or notice.
enum ResultField {
    case severity, sqlState, message, context, constraint

    func of(_ result: OpaquePointer) -> String? {
        let code =
            switch self {
            case .severity: farwatch_diag_severity
            case .sqlState: farwatch_diag_sqlstate
            case .message: farwatch_diag_message
            case .context: farwatch_diag_context
            case .constraint: farwatch_diag_constraint
            }
        return PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
    }
}
