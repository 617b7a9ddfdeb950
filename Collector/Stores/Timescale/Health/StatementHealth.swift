import PostgresDriver

/// Statements of this database that take long: on average, where the server counts them (`pg_stat_statements`), otherwise those that are running.
enum StatementHealth {
    /// What counts as slow. A group's COPY and the collector's own look at the tables take less.
    static let secondsMin = 1.0
    /// Told, the slowest.
    private static let statementsMax = 10
    private static let charactersMax = 160

    static func look(_ connection: PostgresConnection) throws(PostgresError) -> [StoreHealth.SlowStatement] {
        let schema = try connection.query(
            "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_stat_statements'"
        ).value(String.self)
        guard let schema else { return try running(connection) }
        do throws(PostgresError) { return try counted(schema, connection) } catch {
            // "pg_stat_statements must be loaded via shared_preload_libraries": it is in the database, but counts nothing.
            guard error.sqlState == "55000" else { throw error }
            return try running(connection)
        }
    }

    /// Values are left out of these kinds of statement alone: a password may stand in any other.
    private static func counted(_ schema: String, _ connection: PostgresConnection) throws(PostgresError) -> [StoreHealth.SlowStatement] {
        let rows = try connection.query(
            """
            SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), $2::int4), mean_exec_time / 1000, calls FROM \(schema).pg_stat_statements
            WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mean_exec_time / 1000 >= $1
                AND query ~* '^\\s*(select|insert|update|delete|with|copy)\\M'
            ORDER BY mean_exec_time DESC LIMIT $3
            """, [.double(secondsMin), .integer(Int64(charactersMax)), .integer(Int64(statementsMax))])
        var statements: [StoreHealth.SlowStatement] = []
        for row in rows { statements.append(.init(text: try row.decode(at: 0), seconds: try row.decode(at: 1), calls: try row.decode(at: 2))) }
        return statements
    }

    /// Their first word alone: values stand in what others have sent.
    private static func running(_ connection: PostgresConnection) throws(PostgresError) -> [StoreHealth.SlowStatement] {
        let rows = try connection.query(
            """
            SELECT format('%s by %s, process %s', upper(substring(query FROM '^\\s*(\\w+)')), usename, pid),
                extract(epoch FROM clock_timestamp() - query_start)::float8
            FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()
                AND query_start < clock_timestamp() - make_interval(secs => $1)
            ORDER BY query_start LIMIT $2
            """, [.double(secondsMin), .integer(Int64(statementsMax))])
        var statements: [StoreHealth.SlowStatement] = []
        for row in rows { statements.append(.init(text: try row.decode(at: 0), seconds: try row.decode(at: 1), calls: nil)) }
        return statements
    }
}
