import PostgresDriver

/// How the server does: looked at every few seconds, its tables less often. Of bounded size, whatever is in the database.
package struct StoreHealth: Equatable, Sendable {
    package struct Table: Equatable, Sendable {
        package let name: String
        /// Chunks of a hypertable, or partitions.
        package let parts: Int64
        /// On the disk, with indexes.
        package let bytes: Int64
        /// When the newest part with rows begins: UTC, milliseconds since 1970; nil while the table is empty.
        package let newestPart: Int64?
        /// Nil where nothing is compressed.
        package let compression: Compression?
    }

    package struct Compression: Equatable, Sendable {
        package let parts: Int64
        /// Of the compressed parts with their indexes, before and after.
        package let bytesBefore: Int64
        package let bytesAfter: Int64

        /// The share that compression has saved: 0…1.
        package var saved: Double { bytesBefore > 0 ? 1 - Double(bytesAfter) / Double(bytesBefore) : 0 }
    }

    /// One index, on all parts of its table.
    package struct Index: Equatable, Sendable {
        package let table: String
        package let name: String
        /// Since the server's statistics were last reset.
        package let scans: Int64
        package let bytes: Int64
        /// It keeps a key unique, whether or not it is read.
        package let isUnique: Bool
    }

    /// A continuous aggregate.
    package struct Aggregate: Equatable, Sendable {
        package let name: String
        /// Until when it is made up, UTC, milliseconds since 1970: what is later is read from the samples. Nil before its first refresh.
        package let end: Int64?
        package let bytes: Int64
        /// Refreshes by the server's job, and those of them that failed.
        package let runs: Int64
        package let failures: Int64
        /// The last one has.
        package let hasFailed: Bool
        /// The server has a job that refreshes it, and runs it.
        package let isScheduled: Bool
    }

    package struct SlowStatement: Equatable, Sendable {
        /// Without values.
        package let text: String
        /// On average, or so far for one that is running.
        package let seconds: Double
        /// How often it was run; nil for one that is running.
        package let calls: Int64?
    }

    package var tables: [Table] = []
    package var indexes: [Index] = []
    package var aggregates: [Aggregate] = []
    /// The slowest first.
    package var slowStatements: [SlowStatement] = []
    /// How far the slowest standby is behind, in seconds; nil without one, and where this role may not know.
    package var replicationLag: Double?

    /// Why nothing can be written; nil when it can.
    package static func refusal(_ connection: PostgresConnection) throws(PostgresError) -> String? {
        let row = try connection.query("SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'")[0]
        if try row.decode(Bool.self, at: 0) { return "the server is a standby: nothing can be written" }
        if try row.decode(Bool.self, at: 1) { return "the database is read-only (default_transaction_read_only)" }
        return nil
    }

    /// Looks at everything, in a schema that is up to date.
    package static func look(_ layout: TableLayout, _ connection: PostgresConnection) throws(PostgresError) -> StoreHealth {
        var health = StoreHealth()
        health.tables = try TableHealth.look(layout, connection)
        health.indexes = try IndexHealth.look(layout, connection)
        if layout == .hypertables { health.aggregates = try AggregateHealth.look(connection) }
        health.slowStatements = try StatementHealth.look(connection)
        health.replicationLag = try connection.query("SELECT max(extract(epoch FROM replay_lag))::float8 FROM pg_stat_replication").value()
        return health
    }
}
