import CPostgres

/// The owner of a PGresult.
final class PostgresResult {
    let handle: OpaquePointer

    init(takingOwnership handle: OpaquePointer) { self.handle = handle }

    deinit { PQclear(handle) }

    var status: ExecStatusType { PQresultStatus(handle) }

    /// What the command says that it did, e.g. `COMMIT`, `INSERT 0 5`.
    var commandTag: String { String(cString: PQcmdStatus(handle)) }

    /// Rows that the command touched.
    var affectedRows: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    /// Of a described statement.
    var parameterTypes: [PostgresType] { (0..<PQnparams(handle)).map { PostgresType(rawValue: PQparamtype(handle, $0)) } }
    var columnTypes: [PostgresType] { (0..<PQnfields(handle)).map { PostgresType(rawValue: PQftype(handle, $0)) } }

    /// The server's error, or libpq's when the connection broke; nil when the result is none.
    /// - Parameter table: that of a COPY, whose row is looked for in the context.
    func error(_ operation: String, table: String? = nil) -> PostgresError? {
        switch status {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: break
        default: return nil
        }
        guard let sqlState = ResultField.sqlState.of(handle) else {
            return PostgresError(
                .disconnected, operation: operation, detail: PostgresDetail.ofConnection(String(cString: PQresultErrorMessage(handle))))
        }
        let context = ResultField.context.of(handle)
        return PostgresError(
            PostgresErrorReason(sqlState: sqlState), operation: operation, sqlState: sqlState,
            detail: PostgresDetail.clean(ResultField.message.of(handle) ?? "", sqlState: sqlState),
            constraint: ResultField.constraint.of(handle),
            copyRow: table.flatMap { table in context.flatMap { PostgresDetail.copyRow(inContext: $0, table: table) } })
    }
}
