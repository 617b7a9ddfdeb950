import SQLiteDriver
import Telemetry

/// The writer's prepared statements, each with its parameters by name.
struct WriterStatements {
    private let selectDevice, insertDevice, updateDevice: Statement
    private let insertBlock: Statement
    private let selectTaken, upsertTaken: Statement
    private let insertSeries: Statement
    private let upsertLatest: Statement
    private let insertQuarantine, deleteQuarantine: Statement

    init(_ database: Database) throws(SQLiteError) {
        selectDevice = try database.prepare("SELECT number FROM devices WHERE device = ?1")
        insertDevice = try database.prepare("INSERT INTO devices (device) VALUES (?1) RETURNING number")
        updateDevice = try database.prepare(
            """
            UPDATE devices SET blocks = blocks + ?2, samples = samples + ?3, bytes = bytes + ?4, span_ms = max(span_ms, ?5) WHERE number = ?1
            """)
        insertBlock = try database.prepare(
            """
            INSERT INTO blocks (device, stream, sequence, start_ms, end_ms, ticks, samples, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """)
        selectTaken = try database.prepare("SELECT floor, ranges FROM taken WHERE device = ?1 AND stream = ?2")
        upsertTaken = try database.prepare(
            """
            INSERT INTO taken (device, stream, floor, ranges) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET floor = excluded.floor, ranges = excluded.ranges
            """)
        insertSeries = try database.prepare(
            """
            INSERT OR IGNORE INTO series (device, key)
            SELECT ?1, ?2 WHERE (SELECT count(*) FROM series WHERE device = ?1) < \(TimeSeriesLimits.seriesPerDeviceMax)
            """)
        upsertLatest = try database.prepare(
            """
            INSERT INTO latest (device, at_ms, bytes) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, bytes = excluded.bytes WHERE excluded.at_ms >= latest.at_ms
            """)
        insertQuarantine = try database.prepare("INSERT INTO quarantine (device, reason, at_ms, bytes) VALUES (?1, ?2, ?3, ?4)")
        deleteQuarantine = try database.prepare(
            "DELETE FROM quarantine WHERE id = (SELECT min(id) FROM quarantine) RETURNING length(bytes)")
    }

    /// The device's number, given now if it has none.
    func deviceNumber(_ device: DeviceId) throws(SQLiteError) -> Int64 {
        selectDevice.bind(1, device.text)
        if try selectDevice.step() {
            let number = selectDevice.integer(0)
            selectDevice.reset()
            return number
        }
        insertDevice.bind(1, device.text)
        var number: Int64 = 0
        while try insertDevice.step() { number = insertDevice.integer(0) }
        return number
    }

    func addToDevice(_ device: Int64, blocks: Int64, samples: Int64, bytes: Int64, span: Int64) throws(SQLiteError) {
        for (index, value) in [device, blocks, samples, bytes, span].enumerated() { updateDevice.bind(Int32(index + 1), value) }
        try updateDevice.run()
    }

    func insertBlock(_ device: Int64, _ batch: Batch, start: Int64, end: Int64, ticks: Int64, samples: Int64) throws(SQLiteError) {
        insertBlock.bind(1, device)
        insertBlock.bind(2, Int64(bitPattern: batch.stream))
        insertBlock.bind(3, Int64(batch.sequence))
        insertBlock.bind(4, start)
        insertBlock.bind(5, end)
        insertBlock.bind(6, ticks)
        insertBlock.bind(7, samples)
        insertBlock.bind(8, batch.payload)
        try insertBlock.run()
    }

    func taken(_ device: Int64, _ stream: StreamId) throws(SQLiteError) -> TakenSequences? {
        try TakenRow.read(selectTaken, device, stream)
    }

    func setTaken(_ device: Int64, _ stream: StreamId, _ taken: TakenSequences) throws(SQLiteError) {
        upsertTaken.bind(1, device)
        upsertTaken.bind(2, Int64(bitPattern: stream))
        upsertTaken.bind(3, Int64(bitPattern: taken.floor))
        upsertTaken.bind(4, taken.ranges.encoded())
        try upsertTaken.run()
    }

    func insertSeries(_ device: Int64, _ key: [UInt8]) throws(SQLiteError) {
        insertSeries.bind(1, device)
        insertSeries.bind(2, key)
        try insertSeries.run()
    }

    func setLatest(_ device: Int64, _ at: Int64, _ bytes: [UInt8]) throws(SQLiteError) {
        upsertLatest.bind(1, device)
        upsertLatest.bind(2, at)
        upsertLatest.bind(3, bytes)
        try upsertLatest.run()
    }

    func insertQuarantined(_ item: QuarantinedItem) throws(SQLiteError) {
        insertQuarantine.bind(1, item.device.text)
        insertQuarantine.bind(2, item.reason)
        insertQuarantine.bind(3, item.at)
        insertQuarantine.bind(4, item.bytes)
        try insertQuarantine.run()
    }

    /// The bytes that were removed; nil when there was nothing left.
    func deleteOldestQuarantined() throws(SQLiteError) -> Int64? {
        var removed: Int64?
        while try deleteQuarantine.step() { removed = deleteQuarantine.integer(0) }
        return removed
    }
}

/// Reads a row of `taken` for the writer and the reader.
enum TakenRow {
    /// `statement` selects floor and ranges by device and stream.
    static func read(_ statement: Statement, _ device: Int64, _ stream: StreamId) throws(SQLiteError) -> TakenSequences? {
        statement.bind(1, device)
        statement.bind(2, Int64(bitPattern: stream))
        guard try statement.step() else { return nil }
        defer { statement.reset() }
        guard let ranges = try? SequenceRanges(decoding: statement.bytes(1)) else {
            // Going on with an empty account would count batches twice.
            throw SQLiteError(code: 11, operation: "read the table taken", detail: "the ranges of a stream cannot be decoded")
        }
        return TakenSequences(floor: UInt64(bitPattern: statement.integer(0)), ranges: ranges)
    }
}
