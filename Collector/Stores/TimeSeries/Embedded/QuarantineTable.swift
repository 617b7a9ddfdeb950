import SQLiteDriver
import Telemetry

/// The table `quarantine`: one for the writer, one for the reader.
struct QuarantineTable {
    private static let columns = "id, device, reason, at_ms, stream, first, last, bytes"

    private let database: Database

    init(_ database: Database) { self.database = database }

    // MARK: Reading

    func items(_ query: QuarantineQuery) throws(SQLiteError) -> [QuarantinedItem] {
        let select = try database.prepare(
            """
            SELECT \(Self.columns) FROM quarantine
            WHERE id < ?1 AND (?2 IS NULL OR device = ?2) AND (?3 IS NULL OR reason = ?3 OR substr(reason, 1, length(?3) + 1) = ?3 || ':')
            ORDER BY id DESC LIMIT ?4
            """)
        select.bind(1, query.before)
        if let device = query.device { select.bind(2, device.text) } else { select.bindNull(2) }
        if let reason = query.reason { select.bind(3, reason) } else { select.bindNull(3) }
        select.bind(4, Int64(query.limit))
        return try rows(of: select)
    }

    func item(_ id: Int64) throws(SQLiteError) -> QuarantinedItem? {
        let select = try database.prepare("SELECT \(Self.columns) FROM quarantine WHERE id = ?1")
        select.bind(1, id)
        return try rows(of: select).first
    }

    private func rows(of select: Statement) throws(SQLiteError) -> [QuarantinedItem] {
        var items: [QuarantinedItem] = []
        while try select.step() {
            guard let device = DeviceId(select.text(1)) else { continue }
            var place: QuarantinedItem.Place?
            if !select.isNull(4), select.integer(5) >= 0, select.integer(5) <= select.integer(6) {
                let sequences = UInt64(select.integer(5))...UInt64(select.integer(6))
                place = QuarantinedItem.Place(stream: UInt64(bitPattern: select.integer(4)), sequences: sequences)
            }
            items.append(
                QuarantinedItem(
                    id: select.integer(0), device: device, reason: select.text(2), at: select.integer(3), place: place, bytes: select.bytes(7)))
        }
        return items
    }

    // MARK: Writing, within a transaction

    func insert(_ items: [QuarantinedItem]) throws(SQLiteError) {
        let insert = try database.prepare(
            "INSERT INTO quarantine (device, reason, at_ms, stream, first, last, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        for item in items {
            insert.bind(1, item.device.text)
            insert.bind(2, item.reason)
            insert.bind(3, item.at)
            if let place = item.place {
                insert.bind(4, Int64(bitPattern: place.stream))
                insert.bind(5, Int64(place.sequences.lowerBound))
                insert.bind(6, Int64(place.sequences.upperBound))
            } else {
                for parameter in 4...6 as ClosedRange<Int32> { insert.bindNull(parameter) }
            }
            insert.bind(7, item.bytes)
            try insert.run()
        }
    }

    /// Removes each device's oldest until its bounds hold, then the oldest of all until the whole's do; what is no batch, and could not be played
    /// again, before what is one. How many were removed.
    func trim() throws(SQLiteError) -> Int {
        try trim(
            "PARTITION BY device", rowsMax: TimeSeriesLimits.quarantineRowsPerDeviceMax, bytesMax: TimeSeriesLimits.quarantineBytesPerDeviceMax)
            + trim("", rowsMax: TimeSeriesLimits.quarantineRowsMax, bytesMax: TimeSeriesLimits.quarantineBytesMax)
    }

    private func trim(_ partition: String, rowsMax: Int, bytesMax: Int) throws(SQLiteError) -> Int {
        // "length(X)" of a blob is its bytes, and is found without reading them. What the window counts is the item and all that outlive it.
        try database.execute(
            """
            DELETE FROM quarantine WHERE id IN (
                SELECT id FROM (
                    SELECT id, count(*) OVER newer AS rows, sum(length(bytes)) OVER newer AS size FROM quarantine
                    WINDOW newer AS (\(partition) ORDER BY stream IS NULL, id DESC ROWS UNBOUNDED PRECEDING)
                ) WHERE rows > \(rowsMax) OR size > \(bytesMax)
            )
            """)
        return database.changes
    }

    func setReason(of id: Int64, _ reason: String) throws(SQLiteError) {
        let update = try database.prepare("UPDATE quarantine SET reason = ?2 WHERE id = ?1")
        update.bind(1, id)
        update.bind(2, reason)
        try update.run()
    }

    /// False when there is none.
    func remove(_ id: Int64) throws(SQLiteError) -> Bool {
        let delete = try database.prepare("DELETE FROM quarantine WHERE id = ?1")
        delete.bind(1, id)
        try delete.run()
        return database.changes > 0
    }
}
