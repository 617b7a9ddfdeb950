import SQLiteDriver
import Telemetry

/// The writer's prepared statements for committing, each with its parameters by name.
struct WriterStatements {
    private let selectDevice, insertDevice, updateDevice: Statement
    private let insertBlock: Statement
    private let selectTaken, upsertTaken: Statement
    private let insertSeries: Statement

    init(_ database: Database) throws(SQLiteError) {
        selectDevice = try database.prepare("SELECT number FROM devices WHERE device = ?1")
        insertDevice = try database.prepare("INSERT INTO devices (device) VALUES (?1) RETURNING number")
        updateDevice = try database.prepare(
            """
            UPDATE devices SET blocks = blocks + ?2, samples = samples + ?3, bytes = bytes + ?4, span_ms = max(span_ms, ?5) WHERE number = ?1
            """)
        insertBlock = try database.prepare(
            """
            INSERT INTO blocks (device, stream, first, sequence, start_ms, end_ms, interval_ms, ticks, samples, resolution, pauses, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """)
        selectTaken = try database.prepare(TakenRow.select)
        upsertTaken = try database.prepare(
            """
            INSERT INTO taken (device, stream, floor, ranges, refused) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO UPDATE SET floor = excluded.floor, ranges = excluded.ranges, refused = excluded.refused
            """)
        insertSeries = try database.prepare(
            """
            INSERT OR IGNORE INTO series (device, key)
            SELECT ?1, ?2 WHERE (SELECT count(*) FROM series WHERE device = ?1) < \(TimeSeriesLimits.seriesPerDeviceMax)
            """)
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

    func insertBlock(_ device: Int64, _ batch: Batch, _ ticks: TickCoverage, count: Int64, samples: Int64) throws(SQLiteError) {
        insertBlock.bind(1, device)
        insertBlock.bind(2, Int64(bitPattern: batch.stream))
        insertBlock.bind(3, Int64(batch.firstSequence))
        insertBlock.bind(4, Int64(batch.sequence))
        insertBlock.bind(5, ticks.start)
        insertBlock.bind(6, ticks.end)
        insertBlock.bind(7, ticks.interval)
        insertBlock.bind(8, count)
        insertBlock.bind(9, samples)
        insertBlock.bind(10, Int64(batch.resolution))
        if ticks.pauses.isEmpty { insertBlock.bindNull(11) } else { insertBlock.bind(11, ticks.encodedPauses) }
        insertBlock.bind(12, batch.payload)
        try insertBlock.run()
    }

    func taken(_ device: Int64, _ stream: StreamId) throws(SQLiteError) -> TakenSequences? {
        try TakenRow.read(selectTaken, device, stream)
    }

    func setTaken(_ device: Int64, _ stream: StreamId, _ taken: TakenSequences) throws(SQLiteError) {
        upsertTaken.bind(1, device)
        upsertTaken.bind(2, Int64(bitPattern: stream))
        upsertTaken.bind(3, Int64(bitPattern: taken.floor))
        upsertTaken.bind(4, taken.closed.encoded())
        if taken.refused.ranges.isEmpty { upsertTaken.bindNull(5) } else { upsertTaken.bind(5, taken.refused.encoded()) }
        try upsertTaken.run()
    }

    func insertSeries(_ device: Int64, _ key: [UInt8]) throws(SQLiteError) {
        insertSeries.bind(1, device)
        insertSeries.bind(2, key)
        try insertSeries.run()
    }
}

/// Reads a row of `taken` for the writer and the reader.
enum TakenRow {
    static let select = "SELECT floor, ranges, refused FROM taken WHERE device = ?1 AND stream = ?2"

    /// `statement` is prepared from `select`.
    static func read(_ statement: Statement, _ device: Int64, _ stream: StreamId) throws(SQLiteError) -> TakenSequences? {
        statement.bind(1, device)
        statement.bind(2, Int64(bitPattern: stream))
        guard try statement.step() else { return nil }
        defer { statement.reset() }
        do throws(DecodingError) {
            return TakenSequences(
                floor: UInt64(bitPattern: statement.integer(0)), closed: try SequenceRanges(decoding: statement.bytes(1)),
                refused: statement.isNull(2) ? SequenceRanges() : try SequenceRanges(decoding: statement.bytes(2)))
        } catch {
            // Going on with an empty account would count batches twice.
            throw SQLiteError(code: 11, operation: "read the table taken", detail: "the ranges of a stream cannot be decoded")
        }
    }
}
