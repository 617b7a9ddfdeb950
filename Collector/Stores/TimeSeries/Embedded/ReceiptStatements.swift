import SQLiteDriver
import Telemetry

/// The table `receipts`, as the writer changes it.
struct ReceiptStatements {
    private let insert, count, selectOldest, delete: Statement

    init(_ database: Database) throws(SQLiteError) {
        insert = try database.prepare(
            """
            INSERT INTO receipts (device, stream, action, cause, resolution, sequences, from_ms, to_ms, ticks, samples, samples_left, id)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """)
        count = try database.prepare("SELECT count(*) FROM receipts WHERE device = ?1")
        selectOldest = try database.prepare(
            "SELECT id, \(ReceiptRow.columns) FROM receipts WHERE device = ?1 AND action = ?2 ORDER BY id LIMIT 2")
        delete = try database.prepare("DELETE FROM receipts WHERE id = ?1")
    }

    /// Keeps a receipt. With too many of them the two oldest of its action become one, in the place of the first.
    func keep(_ receipt: EvictionReceipt, of device: Int64) throws(SQLiteError) {
        try insert(receipt, device, id: nil)
        count.bind(1, device)
        var rows: Int64 = 0
        while try count.step() { rows = count.integer(0) }
        if rows > TimeSeriesLimits.receiptsPerDeviceMax { try mergeOldest(receipt.action, device) }
    }

    private func mergeOldest(_ action: EvictionReceipt.Action, _ device: Int64) throws(SQLiteError) {
        selectOldest.bind(1, device)
        selectOldest.bind(2, action.rawValue)
        var oldest: [(id: Int64, receipt: EvictionReceipt)] = []
        while try selectOldest.step() { oldest.append((selectOldest.integer(0), try ReceiptRow.read(selectOldest, from: 1))) }
        guard oldest.count == 2 else { return }
        for (id, _) in oldest {
            delete.bind(1, id)
            try delete.run()
        }
        try insert(oldest[0].receipt.merged(with: oldest[1].receipt), device, id: oldest[0].id)
    }

    private func insert(_ receipt: EvictionReceipt, _ device: Int64, id: Int64?) throws(SQLiteError) {
        insert.bind(1, device)
        insert.bind(2, Int64(bitPattern: receipt.stream))
        insert.bind(3, receipt.action.rawValue)
        insert.bind(4, receipt.cause)
        insert.bind(5, Int64(receipt.resolution))
        insert.bind(6, ReceiptRow.encoded(receipt.sequences))
        if let time = receipt.time {
            insert.bind(7, time.lowerBound)
            insert.bind(8, time.upperBound)
        } else {
            insert.bindNull(7)
            insert.bindNull(8)
        }
        insert.bind(9, receipt.ticks)
        insert.bind(10, receipt.samples)
        insert.bind(11, receipt.samplesLeft)
        if let id { insert.bind(12, id) } else { insert.bindNull(12) }
        try insert.run()
    }
}

/// Reads rows of `receipts`.
enum ReceiptRow {
    static let columns = "stream, action, cause, resolution, sequences, from_ms, to_ms, ticks, samples, samples_left"

    /// The columns begin at `first`.
    static func read(_ row: Statement, from first: Int32) throws(SQLiteError) -> EvictionReceipt {
        guard let action = EvictionReceipt.Action(rawValue: row.text(first + 1)), let ranges = try? SequenceRanges(decoding: row.bytes(first + 4))
        else { throw SQLiteError(code: 11, operation: "read the table receipts", detail: "a receipt cannot be decoded") }
        let isTimed = !row.isNull(first + 5) && !row.isNull(first + 6) && row.integer(first + 5) <= row.integer(first + 6)
        return EvictionReceipt(
            action: action, cause: row.text(first + 2), resolution: Int(row.integer(first + 3)), stream: UInt64(bitPattern: row.integer(first)),
            sequences: ranges.ranges, time: isTimed ? row.integer(first + 5)...row.integer(first + 6) : nil, ticks: row.integer(first + 7),
            samples: row.integer(first + 8), samplesLeft: row.integer(first + 9))
    }

    static func encoded(_ sequences: [ClosedRange<Sequence64>]) -> [UInt8] {
        var ranges = SequenceRanges()
        for range in sequences { ranges.insert(range) }
        return ranges.encoded()
    }
}
