/// What a server can do, found out when the collector starts.
package enum ServerTier: String, Sendable, CaseIterable {
    /// TimescaleDB under its own licence: compresses chunks.
    case community
    /// TimescaleDB's Apache-2 edition: chunks, nothing more.
    case apache
    /// PostgreSQL alone: day partitions that the collector makes.
    case plain
}

/// How the tables that grow with time are parted. It is decided by the first migration and stays.
package enum TableLayout: String, Sendable {
    case hypertables, partitions
}
