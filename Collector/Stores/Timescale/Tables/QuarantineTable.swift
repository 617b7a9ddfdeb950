import PostgresDriver
import Telemetry
import TimeSeriesStores

/// The table `quarantine`.
struct QuarantineTable {
    /// "FARQ": who adds to it holds this advisory lock until the end of the transaction, so that two do not remove the same.
    private static let lock: Int64 = 0x4641_5251
    private static let columns = "id, device, reason, at_ms, stream, first, last, bytes"

    let connection: PostgresConnection

    // MARK: Reading

    func items(_ query: QuarantineQuery) throws(PostgresError) -> [QuarantinedItem] {
        try items(
            """
            WHERE id < $1 AND ($2::text IS NULL OR device = $2) AND ($3::text IS NULL OR reason = $3 OR starts_with(reason, $3 || ':'))
            ORDER BY id DESC LIMIT $4
            """,
            [
                .integer(query.before), query.device.map { .text($0.text) } ?? .null, query.reason.map { .text($0.withoutZeros) } ?? .null,
                .integer(Int64(query.limit)),
            ])
    }

    func item(_ id: Int64) throws(PostgresError) -> QuarantinedItem? { try items("WHERE id = $1", [.integer(id)]).first }

    private func items(_ condition: String, _ values: [PostgresValue]) throws(PostgresError) -> [QuarantinedItem] {
        var items: [QuarantinedItem] = []
        for row in try connection.query("SELECT \(Self.columns) FROM quarantine " + condition, values) {
            guard let device = DeviceId(try row.decode(String.self, at: 1)) else { continue }
            var place: QuarantinedItem.Place?
            if let stream = try row.decodeIfPresent(Int64.self, at: 4), let first = try row.decodeIfPresent(Int64.self, at: 5),
                let last = try row.decodeIfPresent(Int64.self, at: 6), first >= 0, first <= last
            {
                place = QuarantinedItem.Place(stream: UInt64(bitPattern: stream), sequences: UInt64(first)...UInt64(last))
            }
            items.append(
                QuarantinedItem(
                    id: try row.decode(at: 0), device: device, reason: try row.decode(at: 2), at: try row.decode(at: 3), place: place,
                    bytes: try row.decode(PostgresBytes.self, at: 7).bytes))
        }
        return items
    }

    // MARK: Writing, within a transaction

    /// Before any other lock.
    func takeLock() throws(PostgresError) { try connection.run("SELECT pg_advisory_xact_lock($1)", [.integer(Self.lock)]) }

    func insert(_ items: [QuarantinedItem]) throws(PostgresError) {
        for item in items {
            try connection.run(
                "INSERT INTO quarantine (device, reason, at_ms, stream, first, last, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                [
                    .text(item.device.text), .text(item.reason.withoutZeros), .integer(item.at),
                    item.place.map { .integer(Int64(bitPattern: $0.stream)) } ?? .null,
                    item.place.map { .integer(Int64(bitPattern: $0.sequences.lowerBound)) } ?? .null,
                    item.place.map { .integer(Int64(bitPattern: $0.sequences.upperBound)) } ?? .null, .bytes(item.bytes),
                ])
        }
    }

    /// Removes each device's oldest until its bounds hold, then the oldest of all until the whole's do; what is no batch before what is one. How many
    /// were removed.
    func trim() throws(PostgresError) -> Int {
        let ofDevices = try trim(
            "PARTITION BY device", rowsMax: TimeSeriesLimits.quarantineRowsPerDeviceMax, bytesMax: TimeSeriesLimits.quarantineBytesPerDeviceMax)
        return try ofDevices + trim("", rowsMax: TimeSeriesLimits.quarantineRowsMax, bytesMax: TimeSeriesLimits.quarantineBytesMax)
    }

    private func trim(_ partition: String, rowsMax: Int, bytesMax: Int) throws(PostgresError) -> Int {
        try connection.run(
            """
            DELETE FROM quarantine WHERE id IN (
                SELECT id FROM (
                    SELECT id, count(*) OVER newer AS rows, sum(octet_length(bytes)) OVER newer AS size FROM quarantine
                    WINDOW newer AS (\(partition) ORDER BY stream IS NULL, id DESC ROWS UNBOUNDED PRECEDING)
                ) AS sums WHERE rows > $1 OR size > $2
            )
            """, [.integer(Int64(rowsMax)), .integer(Int64(bytesMax))])
    }

    func setReason(of id: Int64, _ reason: String) throws(PostgresError) {
        try connection.run("UPDATE quarantine SET reason = $2 WHERE id = $1", [.integer(id), .text(reason.withoutZeros)])
    }

    /// False when there is none.
    func remove(_ id: Int64) throws(PostgresError) -> Bool { try connection.run("DELETE FROM quarantine WHERE id = $1", [.integer(id)]) > 0 }
}
