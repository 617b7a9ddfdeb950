import PostgresDriver

extension PostgresConnection {
    /// Has the server leave its jobs in this database undone, which are at the chunks whenever they like.
    func stopBackgroundWorkers() throws(PostgresError) {
        _ = try query("SELECT _timescaledb_functions.stop_background_workers()")
    }

    /// Compresses a table's chunks, those with late rows again.
    /// - Parameter days: how old they are at least.
    func compressChunks(of table: String, olderThanDays days: Int = 0) throws(PostgresError) {
        let chunks = "show_chunks('\(table)', older_than => interval '\(days) days')"
        _ = try query("SELECT compress_chunk(chunk, if_not_compressed => true) FROM \(chunks) AS chunk")
    }
}
