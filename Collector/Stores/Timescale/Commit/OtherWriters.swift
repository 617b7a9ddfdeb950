import PostgresDriver
import Telemetry

/// Finds devices whose newest tick another collector has written.
struct OtherWriters {
    struct Look: Sendable {
        /// The transaction that wrote each.
        var written: [DeviceId: Int64]
        /// All transactions below this one were over when it was looked.
        var next: Int64
    }

    let connection: PostgresConnection

    /// Within a transaction of one state. Transactions end in another order than they begin: those that ran during the last look are looked at
    /// again.
    /// - Parameter since: the last look's `next`; nil at the first.
    func look(since: Int64?, writer: Int64) throws(PostgresError) -> Look {
        let next = try connection.query("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint").value(Int64.self) ?? 0
        guard let since else { return Look(written: [:], next: next) }
        var look = Look(written: [:], next: next)
        // After a server that was set back to an older state numbers begin anew.
        let rows = try connection.query(
            "SELECT device, latest_transaction FROM devices WHERE latest_transaction >= $1 AND latest_writer <> $2",
            [.integer(min(since, next)), .integer(writer)])
        for row in rows { if let device = DeviceId(try row.decode(String.self, at: 0)) { look.written[device] = try row.decode(at: 1) } }
        return look
    }
}
