import CPostgres
import Glibc

extension PostgresConnection {
    /// Writes rows into a table by binary COPY, as one statement: all of them or none. An error of the server's names the row.
    /// - Parameter columns: those that `body` writes values for, in their order.
    /// - Returns: the rows that were written.
    @discardableResult
    package func copyIn(
        _ table: String, schema: String? = nil, columns: [String], _ body: (CopyWriter) throws(PostgresError) -> Void
    ) throws(PostgresError) -> Int {
        let operation = "copy into " + table
        let target = (schema.map { Self.quoted($0) + "." } ?? "") + Self.quoted(table)
        let sql = "COPY " + target + " (" + columns.map(Self.quoted).joined(separator: ", ") + ") FROM STDIN (FORMAT binary)"
        return try exchange(operation) { () throws(PostgresError) in
            try beginCopy(sql, PGRES_COPY_IN, operation)
            // The writer does not outlive the COPY, and the connection is not used by anyone else while it lasts.
            let writer = CopyWriter(columns: columns.count, buffer: buffer) { [unowned self] chunk throws(PostgresError) in
                try sendCopy(chunk, operation)
            }
            do throws(PostgresError) {
                try body(writer)
                try writer.finish()
            } catch {
                try abortCopy(error, operation)
            }
            guard PQputCopyEnd(handle, nil) == 1 else { throw disconnected(operation) }
            return try copyResult(operation, table).affectedRows
        }
    }

    private func beginCopy(_ sql: String, _ expected: ExecStatusType, _ operation: String) throws(PostgresError) {
        guard PQsendQuery(handle, sql) == 1 else { throw disconnected(operation) }
        try flush(operation)
        guard let result = try nextResult(operation) else { throw disconnected(operation) }
        if let error = result.error(operation) {
            while try nextResult(operation) != nil {}
            if error.reason == .disconnected { giveUp() }
            throw error
        }
        guard result.status == expected else {
            giveUp()
            throw PostgresError(.statement, operation: operation, detail: "the server did not begin a COPY")
        }
    }

    /// Does not return before libpq has sent it: otherwise its buffer would grow with the rows.
    private func sendCopy(_ chunk: UnsafeRawBufferPointer, _ operation: String) throws(PostgresError) {
        let bytes = chunk.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard PQputCopyData(handle, bytes, Int32(chunk.count)) == 1 else { throw disconnected(operation) }
        try flush(operation)
        // A server that takes all at once is never waited for.
        try seeToWatch(operation)
        if isCancelled {
            let reason: PostgresErrorReason = isInterrupted ? .cancelled : .timedOut
            throw PostgresError(reason, operation: operation, detail: isInterrupted ? "nobody waits for it any more" : "it takes too long")
        }
    }

    /// Tells the server that the COPY has failed here. What it says to that is less than what is known already.
    private func abortCopy(_ error: PostgresError, _ operation: String) throws(PostgresError) -> Never {
        guard error.reason != .disconnected, PQputCopyEnd(handle, "given up by the client") == 1 else {
            giveUp()
            throw error
        }
        try flush(operation)
        while try nextResult(operation) != nil {}
        throw error
    }

    private func copyResult(_ operation: String, _ table: String) throws(PostgresError) -> PostgresResult {
        try flush(operation)
        var last: PostgresResult?
        var failure: PostgresError?
        while let result = try nextResult(operation) {
            failure = failure ?? result.error(operation, table: table)
            last = result
        }
        if let failure {
            if failure.reason == .disconnected { giveUp() }
            throw failure
        }
        guard let last else { throw disconnected(operation) }
        return last
    }

    // MARK: Out

    /// Hands over the rows of a query by binary COPY, the fastest way out; memory does not grow with them. The query has no parameters.
    /// An error that `body` throws cancels it.
    /// - Returns: the rows that were read.
    @discardableResult
    package func copyOut(_ query: String, _ body: (PostgresCopyRow) throws(PostgresError) -> Void) throws(PostgresError) -> Int {
        let operation = "copy out " + Self.firstWords(of: query, Self.wordsTold)
        return try exchange(operation) { () throws(PostgresError) in
            let types = try columnTypes(of: query, operation)
            try beginCopy("COPY (" + query + ") TO STDOUT (FORMAT binary)", PGRES_COPY_OUT, operation)
            var parser = CopyParser()
            var failure: PostgresError?
            while let message = try nextMessage(operation) {
                defer { PQfreemem(message.baseAddress) }
                if failure != nil { continue }
                do throws(PostgresError) {
                    let problem = try parser.take(UnsafeRawBufferPointer(message)) { (fields) throws(PostgresError) in
                        try body(PostgresCopyRow(fields: fields, types: types))
                    }
                    if let problem { throw PostgresError(.decoding, operation: operation, detail: problem.rawValue) }
                } catch {
                    failure = error
                    cancel()
                }
            }
            do throws(PostgresError) { _ = try copyResult(operation, "") } catch { throw failure ?? error }
            if let failure { throw failure }
            if let problem = parser.finish() { throw PostgresError(.decoding, operation: operation, detail: problem.rawValue) }
            return parser.rows
        }
    }

    /// A piece of a COPY, to be freed by `PQfreemem`; nil at its end, whether good or bad.
    private func nextMessage(_ operation: String) throws(PostgresError) -> UnsafeMutableRawBufferPointer? {
        while true {
            var bytes: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle, &bytes, 1)
            if count > 0, let bytes { return UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)) }
            if count < 0 { return nil }
            try wait(for: POLLIN, operation)
            try consume(operation)
        }
    }

    /// A binary COPY does not say what its columns are.
    private func columnTypes(of query: String, _ operation: String) throws(PostgresError) -> [PostgresType] {
        let statement = try prepared(query, operation)
        guard PQsendDescribePrepared(handle, statement.name) == 1 else { throw disconnected(operation) }
        return try lastResult(operation).columnTypes
    }

    /// A name as SQL takes it literally.
    package static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}

/// One row of a COPY, only to be used while it is handed over. Columns count from 0.
package struct PostgresCopyRow {
    fileprivate let fields: [UnsafeRawBufferPointer?]
    fileprivate let types: [PostgresType]

    package func decode<Value: PostgresDecodable>(_ type: Value.Type = Value.self, at column: Int) throws(PostgresError) -> Value {
        guard let value = try decodeIfPresent(type, at: column) else { throw error(column, "is NULL") }
        return value
    }

    /// nil for NULL.
    package func decodeIfPresent<Value: PostgresDecodable>(_: Value.Type = Value.self, at column: Int) throws(PostgresError) -> Value? {
        guard fields.indices.contains(column), types.indices.contains(column) else { throw error(column, "is not there") }
        guard let bytes = fields[column] else { return nil }
        guard let value = Value(postgres: bytes, type: types[column]) else {
            throw error(column, "is \(types[column].description), not what fits \(Value.self)")
        }
        return value
    }

    private func error(_ column: Int, _ problem: String) -> PostgresError {
        PostgresError(.decoding, operation: "read a copied row", detail: "column \(column) \(problem)")
    }
}
