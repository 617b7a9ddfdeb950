import PostgresDriver
import Telemetry
import TimeSeriesStores

/// What a device's batches cover, its receipts and its accounts: within a read-only transaction, so that all is of one state.
struct CoverageReader {
    private static let record = "stream, first, last, started, \"timestamp\", interval_ms, samples, resolution, pauses"

    let connection: PostgresConnection

    /// Nil when there are too many records.
    func coverage(of id: DeviceId, from: Int64, to: Int64) throws(PostgresError) -> DeviceCoverage? {
        let devices = try connection.query("SELECT number, span_ms FROM devices WHERE device = $1", [.text(id.text)])
        guard !devices.isEmpty else { return DeviceCoverage() }
        let (device, span) = (try devices[0].decode(Int64.self, at: 0), try devices[0].decode(Int64.self, at: 1))
        let (first, last) = (TimeBounds.bounded(from), TimeBounds.bounded(to))
        let latestEnd = TimeBounds.bounded(last.addingReportingOverflow(span).overflow ? .max : last + span)
        var records = try read(
            "device = $1 AND \"timestamp\" < $2 ORDER BY \"timestamp\" DESC LIMIT 1", [.integer(device), .timestamp(first)])
        // No batch that begins by $3 can end after $4.
        records += try read(
            "device = $1 AND \"timestamp\" >= $2 AND \"timestamp\" <= $4 AND started <= $3 ORDER BY \"timestamp\" LIMIT \(DeviceCoverage.recordsMax + 1)",
            [.integer(device), .timestamp(first), .timestamp(last), .timestamp(latestEnd)])
        guard records.count <= DeviceCoverage.recordsMax else { return nil }
        records += try read(
            "device = $1 AND \"timestamp\" > $2 AND started > $2 ORDER BY \"timestamp\" LIMIT 1", [.integer(device), .timestamp(last)])
        var coverage = DeviceCoverage(records: records.sorted { $0.ticks.start < $1.ticks.start })
        coverage.receipts = try receipts(device, from, to)
        coverage.accounts = try accounts(device, Set(records.map { $0.stream }))
        return coverage
    }

    private func read(_ condition: String, _ values: [PostgresValue]) throws(PostgresError) -> [DeviceCoverage.Record] {
        var records: [DeviceCoverage.Record] = []
        try connection.forEachRow("SELECT \(Self.record) FROM sample_batches WHERE " + condition, values) { (row) throws(PostgresError) in
            records.append(try Self.record(row))
        }
        return records
    }

    private static func record(_ row: PostgresRow) throws(PostgresError) -> DeviceCoverage.Record {
        let (first, last) = (try row.decode(Int64.self, at: 1), try row.decode(Int64.self, at: 2))
        let (start, end) = (try row.decode(PostgresTimestamp.self, at: 3).milliseconds, try row.decode(PostgresTimestamp.self, at: 4).milliseconds)
        let bytes = try row.decodeIfPresent(PostgresBytes.self, at: 8)?.bytes
        let pauses = try? TickCoverage.pauses(decoding: bytes ?? [], start: start)
        guard first >= 0, first <= last, start <= end, let pauses else {
            throw PostgresError(.decoding, operation: "read the table sample_batches", detail: "a batch's description cannot be decoded")
        }
        return DeviceCoverage.Record(
            stream: UInt64(bitPattern: try row.decode(Int64.self, at: 0)), sequences: UInt64(first)...UInt64(last),
            ticks: TickCoverage(start: start, end: end, interval: try row.decode(at: 5), pauses: pauses), samples: try row.decode(at: 6),
            resolution: try row.decode(at: 7))
    }

    private func receipts(_ device: Int64, _ from: Int64, _ to: Int64) throws(PostgresError) -> [EvictionReceipt] {
        let rows = try connection.query(
            """
            SELECT \(ReceiptTable.columns) FROM eviction_receipts
            WHERE device = $1 AND (from_ms IS NULL OR to_ms IS NULL OR from_ms <= $3 AND to_ms >= $2) ORDER BY id
            """, [.integer(device), .integer(from), .integer(to)])
        var receipts: [EvictionReceipt] = []
        for row in rows { receipts.append(try ReceiptTable.receipt(row, from: 0)) }
        return receipts
    }

    /// Of all streams for a device that has no records.
    private func accounts(_ device: Int64, _ streams: Set<StreamId>) throws(PostgresError) -> [StreamId: TakenSequences] {
        let rows = try connection.query(
            """
            SELECT stream, floor, closed, refused FROM stream_accounts
            WHERE device = $1 AND ($2::int8[] IS NULL OR stream = ANY($2)) ORDER BY stream LIMIT $3
            """,
            [
                .integer(device), streams.isEmpty ? .null : .integers(streams.map { Int64(bitPattern: $0) }),
                .integer(Int64(streams.isEmpty ? DeviceCoverage.accountsMax : streams.count)),
            ])
        var accounts: [StreamId: TakenSequences] = [:]
        for row in rows { accounts[UInt64(bitPattern: try row.decode(Int64.self, at: 0))] = try AccountTable.account(row, from: 1) }
        return accounts
    }
}
