import SQLiteDriver
import Telemetry

/// The reader's statements for `coverage`: blocks without their bytes, receipts, accounts.
struct CoverageTables {
    private static let record = "stream, first, sequence, start_ms, end_ms, interval_ms, samples, resolution, pauses"

    private let selectWithin, selectBefore, selectAfter, selectReceipts, selectTaken, selectStreams: Statement

    init(_ database: Database) throws(SQLiteError) {
        // No block that begins by ?3 can end after ?4 = ?3 + the device's longest span.
        selectWithin = try database.prepare(
            """
            SELECT \(Self.record) FROM blocks WHERE device = ?1 AND end_ms >= ?2 AND end_ms <= ?4 AND start_ms <= ?3
            ORDER BY end_ms LIMIT \(DeviceCoverage.recordsMax + 1)
            """)
        selectBefore = try database.prepare(
            "SELECT \(Self.record) FROM blocks WHERE device = ?1 AND end_ms < ?2 ORDER BY end_ms DESC LIMIT 1")
        selectAfter = try database.prepare(
            "SELECT \(Self.record) FROM blocks WHERE device = ?1 AND end_ms > ?2 AND start_ms > ?2 ORDER BY end_ms LIMIT 1")
        selectReceipts = try database.prepare(
            """
            SELECT \(ReceiptRow.columns) FROM receipts
            WHERE device = ?1 AND (from_ms IS NULL OR to_ms IS NULL OR from_ms <= ?3 AND to_ms >= ?2) ORDER BY id
            """)
        selectTaken = try database.prepare(TakenRow.select)
        selectStreams = try database.prepare("SELECT stream FROM taken WHERE device = ?1 LIMIT \(DeviceCoverage.accountsMax)")
    }

    /// Nil when there are too many records. `span` is the longest time that one of the device's blocks covers.
    func coverage(of device: Int64, from: Int64, to: Int64, span: Int64) throws(SQLiteError) -> DeviceCoverage? {
        var records: [DeviceCoverage.Record] = []
        try read(selectBefore, [device, from], into: &records)
        let (latestEnd, overflowed) = to.addingReportingOverflow(span)
        try read(selectWithin, [device, from, to, overflowed ? .max : latestEnd], into: &records)
        guard records.count <= DeviceCoverage.recordsMax else { return nil }
        try read(selectAfter, [device, to], into: &records)
        var coverage = DeviceCoverage(records: records.sorted { $0.ticks.start < $1.ticks.start })
        for (index, value) in [device, from, to].enumerated() { selectReceipts.bind(Int32(index + 1), value) }
        while try selectReceipts.step() { coverage.receipts.append(try ReceiptRow.read(selectReceipts, from: 0)) }
        let streams = records.isEmpty ? try streams(of: device) : Set(records.map { $0.stream })
        for stream in streams { coverage.accounts[stream] = try TakenRow.read(selectTaken, device, stream) }
        return coverage
    }

    private func streams(of device: Int64) throws(SQLiteError) -> Set<StreamId> {
        selectStreams.bind(1, device)
        var streams: Set<StreamId> = []
        while try selectStreams.step() { streams.insert(UInt64(bitPattern: selectStreams.integer(0))) }
        return streams
    }

    private func read(_ statement: Statement, _ parameters: [Int64], into records: inout [DeviceCoverage.Record]) throws(SQLiteError) {
        for (index, value) in parameters.enumerated() { statement.bind(Int32(index + 1), value) }
        while try statement.step() { records.append(try Self.record(statement)) }
    }

    private static func record(_ row: Statement) throws(SQLiteError) -> DeviceCoverage.Record {
        let (first, last, start, end) = (row.integer(1), row.integer(2), row.integer(3), row.integer(4))
        let pauses = row.isNull(8) ? [] : try? TickCoverage.pauses(decoding: row.bytes(8), start: start)
        guard first >= 0, first <= last, start <= end, let pauses else {
            throw SQLiteError(code: 11, operation: "read the table blocks", detail: "a block's description cannot be decoded")
        }
        return DeviceCoverage.Record(
            stream: UInt64(bitPattern: row.integer(0)), sequences: UInt64(first)...UInt64(last),
            ticks: TickCoverage(start: start, end: end, interval: row.integer(5), pauses: pauses), samples: row.integer(6),
            resolution: Int(row.integer(7)))
    }
}
