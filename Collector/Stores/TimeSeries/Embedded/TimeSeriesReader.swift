import SQLiteDriver
import ServiceSupport
import Telemetry

/// Reads of the embedded store, on a connection and thread of their own: in WAL mode they neither wait for a commit nor hold one up.
actor TimeSeriesReader {
    /// Blocks decoded between two looks at cancellation and at other readers' turns.
    private static let pageBlocks = 256
    /// Samples that one query may look through: some ten seconds of work.
    private static let samplesMax: Int64 = 100_000_000

    private let executor: ThreadExecutor
    private let database: Database
    private let selectDevice, selectDevices, selectTaken, selectSeries, selectLatest, selectPage, selectStatistics, selectValidations: Statement
    private let quarantineTable: QuarantineTable
    private let coverageTables: CoverageTables

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(directory: String) throws(StoreError) {
        executor = ThreadExecutor(name: "store-read")
        let database = try EmbeddedDatabase.openReadOnly(directory: directory, file: TimeSeriesSchema.file)
        do throws(SQLiteError) {
            selectDevice = try database.prepare("SELECT number, samples, span_ms FROM devices WHERE device = ?1")
            selectDevices = try database.prepare("SELECT device FROM devices WHERE device > ?1 ORDER BY device LIMIT ?2")
            selectTaken = try database.prepare(TakenRow.select)
            selectSeries = try database.prepare("SELECT key FROM series WHERE device = ?1 ORDER BY key")
            selectLatest = try database.prepare(
                "SELECT bytes FROM blocks WHERE device = ?1 ORDER BY end_ms DESC, start_ms DESC, id DESC LIMIT 1")
            // Pages go by (end_ms, id). No block that begins by ?3 can end after ?4 = ?3 + the device's longest span.
            selectPage = try database.prepare(
                """
                SELECT end_ms, id, samples, bytes FROM blocks
                WHERE device = ?1 AND (end_ms, id) > (?2, ?5) AND end_ms <= ?4 AND start_ms <= ?3
                ORDER BY end_ms, id LIMIT \(Self.pageBlocks)
                """)
            selectStatistics = try database.prepare("SELECT count(*), sum(blocks), sum(samples), sum(bytes) FROM devices")
            selectValidations = try database.prepare(CertificateMetricTable.select)
            quarantineTable = QuarantineTable(database)
            coverageTables = try CoverageTables(database)
        } catch { throw StoreError(error, operation: "open the store for reading", path: database.path) }
        self.database = database
    }

    private struct DeviceRow {
        let number: Int64
        let samples: Int64
        let span: Int64
    }

    private func device(_ id: DeviceId) throws(SQLiteError) -> DeviceRow? {
        selectDevice.bind(1, id.text)
        guard try selectDevice.step() else { return nil }
        defer { selectDevice.reset() }
        return DeviceRow(number: selectDevice.integer(0), samples: selectDevice.integer(1), span: selectDevice.integer(2))
    }

    /// Runs a read, with SQLite's errors as the store's.
    private func reading<Result>(_ operation: String, _ body: () throws(SQLiteError) -> Result) throws(StoreError) -> Result {
        do throws(SQLiteError) { return try body() } catch { throw StoreError(error, operation: operation, path: database.path) }
    }

    func taken(device id: DeviceId, stream: StreamId) throws(StoreError) -> TakenSequences {
        try reading("read what is taken") { () throws(SQLiteError) in
            guard let device = try device(id) else { return TakenSequences() }
            return try TakenRow.read(selectTaken, device.number, stream) ?? TakenSequences()
        }
    }

    func coverage(of id: DeviceId, from: Int64, to: Int64) throws(StoreError) -> DeviceCoverage {
        let coverage = try reading("read coverage") { () throws(SQLiteError) -> DeviceCoverage? in
            // One state of the store for all tables.
            try database.execute("BEGIN")
            defer { try? database.execute("COMMIT") }
            guard let device = try device(id) else { return DeviceCoverage() }
            return try coverageTables.coverage(of: device.number, from: from, to: to, span: device.span)
        }
        guard let coverage else { throw tooMuch("more than \(DeviceCoverage.recordsMax) batches") }
        return coverage
    }

    func series(of id: DeviceId) throws(StoreError) -> [Series] {
        try reading("read series") { () throws(SQLiteError) in
            guard let device = try device(id) else { return [] }
            selectSeries.bind(1, device.number)
            var series: [Series] = []
            while try selectSeries.step() { if let one = try? SeriesKey.series(selectSeries.bytes(0)) { series.append(one) } }
            return series.sorted { $0.description < $1.description }
        }
    }

    func latest(of id: DeviceId) throws(StoreError) -> Tick? {
        try reading("read the newest tick") { () throws(SQLiteError) in
            guard let device = try device(id) else { return nil }
            selectLatest.bind(1, device.number)
            guard try selectLatest.step() else { return nil }
            defer { selectLatest.reset() }
            return try Self.block(selectLatest.bytes(0)).newestTick
        }
    }

    func devices(after: DeviceId?, limit: Int) throws(StoreError) -> [DeviceId] {
        try reading("list devices") { () throws(SQLiteError) in
            selectDevices.bind(1, after?.text ?? "")
            selectDevices.bind(2, Int64(limit))
            var devices: [DeviceId] = []
            while try selectDevices.step() { if let id = DeviceId(selectDevices.text(0)) { devices.append(id) } }
            return devices
        }
    }

    func sampleCount(of id: DeviceId) throws(StoreError) -> Int64 {
        try reading("count samples") { () throws(SQLiteError) in try device(id)?.samples ?? 0 }
    }

    func statistics() throws(StoreError) -> TimeSeriesStatistics {
        try reading("read statistics") { () throws(SQLiteError) in
            guard try selectStatistics.step() else { return TimeSeriesStatistics(devices: 0, blocks: 0, samples: 0, bytes: 0) }
            defer { selectStatistics.reset() }
            return TimeSeriesStatistics(
                devices: selectStatistics.integer(0), blocks: selectStatistics.integer(1), samples: selectStatistics.integer(2),
                bytes: selectStatistics.integer(3))
        }
    }

    func quarantined(_ query: QuarantineQuery) throws(StoreError) -> [QuarantinedItem] {
        try reading("list the quarantine") { () throws(SQLiteError) in try quarantineTable.items(query) }
    }

    func quarantined(id: Int64) throws(StoreError) -> QuarantinedItem? {
        try reading("read the quarantine") { () throws(SQLiteError) in try quarantineTable.item(id) }
    }

    // MARK: Ranges

    /// Where a page ends and the next begins.
    private struct Cursor {
        var end: Int64
        var id: Int64
    }

    func range(_ query: RangeQuery) async throws -> [AggregatedSeries] {
        switch query.weighting {
        case .samples: return try await range(query, from: query.from, RangeAggregator(query))
        case .time(let holdMax):
            let from = TimeWeightedSteps.leadIn(query, holdMax: holdMax)
            return try await range(query, from: from, TimeWeightedAggregator(query, holdMax: holdMax))
        }
    }

    /// - Parameter from: samples from here on are of interest.
    private func range(_ query: RangeQuery, from: Int64, _ empty: some BlockAggregator) async throws -> [AggregatedSeries] {
        guard let device = try reading("read a range", { () throws(SQLiteError) in try device(query.device) }) else { return [] }
        var aggregator = empty
        var cursor: Cursor? = Cursor(end: from == .min ? .min : from - 1, id: .max)
        var samples: Int64 = 0
        while let position = cursor {
            cursor = try reading("read a range") { () throws(SQLiteError) in
                try readPage(query, device, after: position, into: &aggregator, &samples)
            }
            if let excess = aggregator.excess { throw tooMuch(excess) }
            guard samples <= Self.samplesMax else { throw tooMuch("more than \(Self.samplesMax) samples to look through") }
            try Task.checkCancellation()
            // Other readers have their turn between pages.
            await Task.yield()
        }
        let found = aggregator.result()
        if let excess = aggregator.excess { throw tooMuch(excess) }
        return found
    }

    private func readPage(
        _ query: RangeQuery, _ device: DeviceRow, after cursor: Cursor, into aggregator: inout some BlockAggregator, _ samples: inout Int64
    ) throws(SQLiteError) -> Cursor? {
        selectPage.bind(1, device.number)
        selectPage.bind(2, cursor.end)
        selectPage.bind(3, query.to)
        let (latestEnd, overflowed) = query.to.addingReportingOverflow(device.span)
        selectPage.bind(4, overflowed ? .max : latestEnd)
        selectPage.bind(5, cursor.id)
        defer { selectPage.reset() }
        var last = cursor
        var count = 0
        while try selectPage.step() {
            last = Cursor(end: selectPage.integer(0), id: selectPage.integer(1))
            samples += selectPage.integer(2)
            count += 1
            aggregator.add(try Self.block(selectPage.bytes(3)))
        }
        return count == Self.pageBlocks && aggregator.excess == nil ? last : nil
    }

    private func tooMuch(_ what: String) -> StoreError { StoreError(.tooMuch, operation: "read a range", path: database.path, detail: what) }

    private static func block(_ bytes: [UInt8]) throws(SQLiteError) -> Block {
        do throws(DecodingError) { return try Block(decoding: bytes[...]) } catch {
            // Every block was decoded before it was written, so this is damage.
            throw SQLiteError(code: 11, operation: "read a block", detail: error.description)
        }
    }

    static func isOlderFormat(_ bytes: [UInt8]) -> Bool {
        do throws(DecodingError) { _ = try Block(decoding: bytes[...]) } catch { return error.reason == .unknownVersion }
        return false
    }

    func validations(of certificate: String, limit: Int) throws(StoreError) -> [CertificateValidation] {
        try reading("read validations") { () throws(SQLiteError) in
            try CertificateMetricTable.rows(selectValidations, of: certificate, limit: limit)
        }
    }
}
