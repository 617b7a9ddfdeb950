import PostgresDriver
import Telemetry
import TimeSeriesStores

/// The table `eviction_receipts`.
struct ReceiptTable {
    static let columns = "stream, action, cause, resolution, sequences, from_ms, to_ms, ticks, samples, samples_left"

    let connection: PostgresConnection

    /// Keeps a device's receipts. With too many of them the oldest of an action become one, in the place of the first. Within a transaction that
    /// holds the device's row.
    func keep(_ receipts: [EvictionReceipt], of device: Int64) throws(PostgresError) {
        for receipt in receipts { try insert(receipt, device, id: nil) }
        let count = try connection.query("SELECT count(*) FROM eviction_receipts WHERE device = $1", [.integer(device)]).value(Int.self) ?? 0
        let excess = count - TimeSeriesLimits.receiptsPerDeviceMax
        if excess > 0, let last = receipts.last { try merge(excess + 1, of: last.action, device) }
    }

    private func merge(_ oldest: Int, of action: EvictionReceipt.Action, _ device: Int64) throws(PostgresError) {
        let rows = try connection.query(
            "SELECT id, \(Self.columns) FROM eviction_receipts WHERE device = $1 AND action = $2 ORDER BY id LIMIT $3",
            [.integer(device), .text(action.rawValue), .integer(Int64(oldest))])
        guard rows.count > 1 else { return }
        var merged = try Self.receipt(rows[0], from: 1)
        for row in rows.dropFirst() { merged = merged.merged(with: try Self.receipt(row, from: 1)) }
        var ids: [Int64] = []
        for row in rows { ids.append(try row.decode(at: 0)) }
        try connection.run("DELETE FROM eviction_receipts WHERE id = ANY($1::int8[])", [.integers(ids)])
        try insert(merged, device, id: ids[0])
    }

    private func insert(_ receipt: EvictionReceipt, _ device: Int64, id: Int64?) throws(PostgresError) {
        var sequences = SequenceRanges()
        for range in receipt.sequences { sequences.insert(range) }
        let values: [PostgresValue] = [
            .integer(device), .integer(Int64(bitPattern: receipt.stream)), .text(receipt.action.rawValue), .text(receipt.cause.withoutZeros),
            .integer(Int64(Int32(clamping: receipt.resolution))), .bytes(sequences.encoded()), receipt.time.map { .integer($0.lowerBound) } ?? .null,
            receipt.time.map { .integer($0.upperBound) } ?? .null, .integer(receipt.ticks), .integer(receipt.samples),
            .integer(receipt.samplesLeft),
        ]
        let names = "device, " + Self.columns
        if let id {
            try connection.run(
                "INSERT INTO eviction_receipts (\(names), id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)", values + [.integer(id)])
        } else {
            try connection.run("INSERT INTO eviction_receipts (\(names)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", values)
        }
    }

    /// The columns begin at `first`.
    static func receipt(_ row: PostgresRow, from first: Int) throws(PostgresError) -> EvictionReceipt {
        guard let action = EvictionReceipt.Action(rawValue: try row.decode(at: first + 1)),
            let ranges = try? SequenceRanges(decoding: try row.decode(PostgresBytes.self, at: first + 4).bytes)
        else { throw PostgresError(.decoding, operation: "read the table eviction_receipts", detail: "a receipt cannot be decoded") }
        var time: ClosedRange<Int64>?
        if let from = try row.decodeIfPresent(Int64.self, at: first + 5), let to = try row.decodeIfPresent(Int64.self, at: first + 6), from <= to {
            time = from...to
        }
        return EvictionReceipt(
            action: action, cause: try row.decode(at: first + 2), resolution: try row.decode(at: first + 3),
            stream: UInt64(bitPattern: try row.decode(Int64.self, at: first)), sequences: ranges.ranges, time: time,
            ticks: try row.decode(at: first + 7), samples: try row.decode(at: first + 8), samplesLeft: try row.decode(at: first + 9))
    }
}

extension String {
    /// PostgreSQL's text holds no zero characters.
    var withoutZeros: String { utf8.contains(0) ? String(unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : Character($0) }) : self }
}
