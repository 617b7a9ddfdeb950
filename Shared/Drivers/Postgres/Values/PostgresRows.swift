import CPostgres

/// The rows of a result, in memory until this goes.
package final class PostgresRows: RandomAccessCollection {
    fileprivate let result: PostgresResult
    private let rows: Int

    init(_ result: PostgresResult) {
        self.result = result
        rows = Int(PQntuples(result.handle))
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { rows }

    package subscript(index: Int) -> PostgresRow {
        precondition(index >= 0 && index < rows, "there is such a row")
        return PostgresRow(rows: self, index: Int32(index))
    }

    /// Rows that the statement touched or gave.
    package var affectedRows: Int { result.affectedRows }

    package var columns: [String] {
        (0..<PQnfields(result.handle)).map { PQfname(result.handle, $0).map { String(cString: $0) } ?? "" }
    }

    /// The first column of the only row; nil when there is no row or it is NULL.
    package func value<Value: PostgresDecodable>(_: Value.Type = Value.self) throws(PostgresError) -> Value? {
        isEmpty ? nil : try self[0].decodeIfPresent(Value.self, at: 0)
    }
}

/// One row. Columns count from 0.
package struct PostgresRow {
    fileprivate let rows: PostgresRows
    fileprivate let index: Int32

    private var handle: OpaquePointer { rows.result.handle }

    package func decode<Value: PostgresDecodable>(_ type: Value.Type = Value.self, at column: Int) throws(PostgresError) -> Value {
        guard let value = try decodeIfPresent(type, at: column) else { throw error(column, "is NULL") }
        return value
    }

    // For many rows: what is generic is not made for its types in another module.

    package func integer(at column: Int) throws(PostgresError) -> Int64 { try decode(Int64.self, at: column) }
    package func double(at column: Int) throws(PostgresError) -> Double { try decode(Double.self, at: column) }
    /// Milliseconds since 1970.
    package func time(at column: Int) throws(PostgresError) -> Int64 { try decode(PostgresTimestamp.self, at: column).milliseconds }

    /// nil for NULL.
    package func decodeIfPresent<Value: PostgresDecodable>(_: Value.Type = Value.self, at column: Int) throws(PostgresError) -> Value? {
        guard column >= 0, column < Int(PQnfields(handle)) else { throw error(column, "is not there") }
        let position = Int32(column)
        if PQgetisnull(handle, index, position) == 1 { return nil }
        let type = PostgresType(rawValue: PQftype(handle, position))
        let bytes = UnsafeRawBufferPointer(start: PQgetvalue(handle, index, position), count: Int(PQgetlength(handle, index, position)))
        guard let value = Value(postgres: bytes, type: type) else { throw error(column, "is \(type.description), not what fits \(Value.self)") }
        return value
    }

    package func decode<Value: PostgresDecodable>(_ type: Value.Type = Value.self, named name: String) throws(PostgresError) -> Value {
        try decode(type, at: Int(PQfnumber(handle, "\"" + name + "\"")))
    }

    package func decodeIfPresent<Value: PostgresDecodable>(_ type: Value.Type = Value.self, named name: String) throws(PostgresError) -> Value? {
        try decodeIfPresent(type, at: Int(PQfnumber(handle, "\"" + name + "\"")))
    }

    private func error(_ column: Int, _ problem: String) -> PostgresError {
        PostgresError(.decoding, operation: "read a row", detail: "column \(column) \(problem)")
    }
}
