import CPostgres

extension PostgresConnection {
    /// Parameters of a statement: what the protocol's 16-bit count allows.
    package static let parametersMax = 65_535

    /// Runs statements without parameters, several of them in one implicit transaction. Rows do not matter.
    package func execute(_ sql: String) throws(PostgresError) {
        // Such statements may hold a password (ALTER ROLE): only their first words are told.
        let operation = Self.firstWords(of: sql, 2)
        try exchange(operation) { () throws(PostgresError) in
            guard PQsendQuery(handle, sql) == 1 else { throw disconnected(operation) }
            _ = try lastResult(operation)
        }
    }

    /// Runs one statement, prepared at its first use, and gives all of its rows. Bound what comes with LIMIT, or use `forEachRow`.
    package func query(_ sql: String, _ values: [PostgresValue] = []) throws(PostgresError) -> PostgresRows {
        try runPrepared(sql, values) { (operation) throws(PostgresError) in PostgresRows(try lastResult(operation)) }
    }

    /// Runs one statement and gives the number of rows that it touched.
    @discardableResult
    package func run(_ sql: String, _ values: [PostgresValue] = []) throws(PostgresError) -> Int {
        try runPrepared(sql, values) { (operation) throws(PostgresError) in try lastResult(operation).affectedRows }
    }

    /// Runs a query and hands over its rows one by one, so that memory does not grow with them. The connection is busy until it returns; an error
    /// that `body` throws cancels the query.
    package func forEachRow(
        _ sql: String, _ values: [PostgresValue] = [], _ body: (PostgresRow) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        try runPrepared(sql, values) { (operation) throws(PostgresError) in
            PQsetSingleRowMode(handle)
            var failure: PostgresError?
            while let result = try nextResult(operation) {
                if failure != nil { continue }
                failure = result.error(operation)
                guard failure == nil, result.status == PGRES_SINGLE_TUPLE else { continue }
                do throws(PostgresError) { try body(PostgresRows(result)[0]) } catch {
                    failure = error
                    cancel()
                }
            }
            if let failure { throw failure }
        }
    }

    // MARK: Prepared statements

    private func runPrepared<Result>(
        _ sql: String, _ values: [PostgresValue], _ receive: (String) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        let operation = Self.firstWords(of: sql, Self.wordsTold)
        do throws(PostgresError) {
            return try runOnce(sql, values, operation, receive)
        } catch {
            // The server has lost the statement (DISCARD, a pooler in between), or its columns have changed since: prepared anew it will do, unless
            // the failure has spoilt a transaction.
            guard error.isStaleStatement, !isInTransaction, forget(sql) else { throw error }
            return try runOnce(sql, values, operation, receive)
        }
    }

    private func runOnce<Result>(
        _ sql: String, _ values: [PostgresValue], _ operation: String, _ receive: (String) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        try exchange(operation) { () throws(PostgresError) in
            let statement = try prepared(sql, operation)
            try send(statement, values, operation)
            return try receive(operation)
        }
    }

    /// Sends without waiting for anything; `flush` and `lastResult` follow.
    func send(_ statement: PreparedStatement, _ values: [PostgresValue], _ operation: String) throws(PostgresError) {
        guard values.count == statement.parameterTypes.count else {
            throw PostgresError(
                .encoding, operation: operation, detail: "\(values.count) values for \(statement.parameterTypes.count) parameters")
        }
        let parameters = try EncodedParameters(values, as: statement.parameterTypes, in: buffer, operation)
        let isSent = parameters.withPointers { pointers, lengths, formats in
            PQsendQueryPrepared(handle, statement.name, Int32(values.count), pointers, lengths, formats, 1)
        }
        guard isSent else { throw disconnected(operation) }
    }

    func prepared(_ sql: String, _ operation: String) throws(PostgresError) -> PreparedStatement {
        if let found = statements.find(sql) { return found }
        let statement = try prepare(sql, operation)
        if let evicted = statements.insert(statement, for: sql) { try close(evicted) }
        return statement
    }

    /// The server says what the parameters' types are; values are made to fit them.
    private func prepare(_ sql: String, _ operation: String) throws(PostgresError) -> PreparedStatement {
        let name = statements.nextName()
        guard PQsendPrepare(handle, name, sql, 0, nil) == 1 else { throw disconnected(operation) }
        _ = try lastResult(operation)
        guard PQsendDescribePrepared(handle, name) == 1 else { throw disconnected(operation) }
        return PreparedStatement(name: name, parameterTypes: try lastResult(operation).parameterTypes)
    }

    private func close(_ statement: PreparedStatement) throws(PostgresError) {
        guard PQtransactionStatus(handle) != PQTRANS_INERROR else { return }
        guard PQsendQuery(handle, "DEALLOCATE " + statement.name) == 1 else { throw disconnected("deallocate") }
        _ = try lastResult("deallocate")
    }

    /// False when there was none to forget.
    private func forget(_ sql: String) -> Bool {
        guard let statement = statements.remove(sql) else { return false }
        // It may be gone already.
        try? exchange("deallocate") { () throws(PostgresError) in try close(statement) }
        return true
    }

    // MARK: Results

    /// Waits for everything that the statement gives; the last result, or the first error.
    func lastResult(_ operation: String) throws(PostgresError) -> PostgresResult {
        try flush(operation)
        var last: PostgresResult?
        var failure: PostgresError?
        while let result = try nextResult(operation) {
            failure = failure ?? result.error(operation)
            if Self.isCopy(result.status) {
                giveUp()
                throw PostgresError(.statement, operation: operation, detail: "a COPY has calls of its own")
            }
            last = result
        }
        if let failure {
            if failure.reason == .disconnected { giveUp() }
            throw failure
        }
        guard let last else { throw disconnected(operation) }
        return last
    }

    private static func isCopy(_ status: ExecStatusType) -> Bool {
        status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH
    }

    static let wordsTold = 8

    /// Enough of a statement to know it by. Bound values are not in its text.
    static func firstWords(of sql: String, _ count: Int) -> String {
        let words = sql.split(maxSplits: count, whereSeparator: \.isWhitespace)
        let text = words.prefix(count).joined(separator: " ")
        return text.isEmpty ? "check the connection" : words.count > count ? String(text.prefix(120)) + " …" : String(text.prefix(120))
    }
}

extension PostgresError {
    /// invalid_sql_statement_name, and "cached plan must not change result type".
    fileprivate var isStaleStatement: Bool { sqlState == "26000" || (sqlState == "0A000" && detail.contains("cached plan")) }
}
