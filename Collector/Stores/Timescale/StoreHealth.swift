import PostgresDriver

/// How the server does: looked at every few seconds, its tables less often.
package struct StoreHealth: Equatable, Sendable {
    package struct Table: Equatable, Sendable {
        package let name: String
        /// Chunks of a hypertable, or partitions.
        package let parts: Int64
        /// On the disk, with indexes.
        package let bytes: Int64
    }

    package var tables: [Table] = []
    /// How far the slowest standby is behind, in seconds; nil without one, and where this role may not know.
    package var replicationLag: Double?

    /// Why nothing can be written; nil when it can.
    static func refusal(_ connection: PostgresConnection) throws(PostgresError) -> String? {
        let row = try connection.query("SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'")[0]
        if try row.decode(Bool.self, at: 0) { return "the server is a standby: nothing can be written" }
        if try row.decode(Bool.self, at: 1) { return "the database is read-only (default_transaction_read_only)" }
        return nil
    }

    static func look(_ layout: TableLayout, _ connection: PostgresConnection) throws(PostgresError) -> StoreHealth {
        var health = StoreHealth()
        for table in TimeTable.all {
            let row = try connection.query(layout == .hypertables ? chunks : partitions, [.text(table.name)])[0]
            health.tables.append(Table(name: table.name, parts: try row.decode(at: 0), bytes: try row.decode(at: 1)))
        }
        health.replicationLag = try connection.query("SELECT max(extract(epoch FROM replay_lag))::float8 FROM pg_stat_replication").value()
        return health
    }

    private static let chunks = """
        SELECT (SELECT count(*) FROM show_chunks($1::text::regclass)), coalesce(hypertable_size($1::text::regclass), 0)::int8
        """

    private static let partitions = """
        SELECT count(*), coalesce(sum(pg_total_relation_size(inhrelid)), 0)::int8 FROM pg_inherits WHERE inhparent = $1::text::regclass
        """
}
