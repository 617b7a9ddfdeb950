import SQLiteDriver
import ServiceSupport
import Telemetry

/// The one writer of this collector to the embedded store: a connection on a thread of its own, prepared statements, a transaction a group. Other
/// collectors write too: whatever decides is read within the transaction, and what is remembered between two of them never changes again.
actor TimeSeriesWriter {
    /// Devices and schemas remembered; beyond it they are looked up again.
    private static let rememberedMax = 100_000
    /// Whose name a probe writes under.
    private static let probeDevice = "farwatch.probe"

    private let executor: ThreadExecutor
    private let database: Database
    private let statements: WriterStatements
    private let receipts: ReceiptStatements
    private let quarantineTable: QuarantineTable
    private var certificateMetrics: CertificateMetricTable
    private let dataVersion, newestBlock, changedDevices: Statement
    private var deviceNumbers: [DeviceId: Int64] = [:]
    /// Hashes of (device, its series) whose series are in the table.
    private var knownSchemas: Set<Int> = []
    /// What the database said when it was last asked whether others write, and up to which block they were looked for.
    private var versionSeen: Int64 = 0
    private var blockSeen: Int64 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(directory: String, schema: EmbeddedDatabase.Schema) throws(StoreError) {
        executor = ThreadExecutor(name: "store-write")
        let database = try EmbeddedDatabase.open(
            directory: directory, file: TimeSeriesSchema.file, migrations: TimeSeriesSchema.migrations, schema: schema)
        do throws(SQLiteError) {
            statements = try WriterStatements(database)
            receipts = try ReceiptStatements(database)
            quarantineTable = QuarantineTable(database)
            certificateMetrics = try CertificateMetricTable(database)
            dataVersion = try database.prepare("PRAGMA data_version")
            newestBlock = try database.prepare("SELECT max(id) FROM blocks")
            changedDevices = try database.prepare(
                "SELECT device FROM devices WHERE number IN (SELECT DISTINCT device FROM blocks WHERE id > ?1)")
            versionSeen = try Self.integer(dataVersion)
            blockSeen = try Self.integer(newestBlock)
        } catch { throw StoreError(error, operation: "open the store", path: database.path) }
        self.database = database
        try Self.checkFormat(of: database, in: directory)
    }

    /// Blocks of an unreleased format are told about now, not when they are read.
    private static func checkFormat(of database: Database, in directory: String) throws(StoreError) {
        let isOlder: Bool
        do throws(SQLiteError) {
            let oldest = try database.prepare("SELECT bytes FROM blocks ORDER BY id LIMIT 1")
            guard try oldest.step() else { return }
            isOlder = TimeSeriesReader.isOlderFormat(oldest.bytes(0))
            oldest.reset()
        } catch { throw StoreError(error, operation: "open the store", path: database.path) }
        guard isOlder else { return }
        let advice = "stop the collector, move the directory away and start with an empty one"
        throw StoreError(
            .olderFormat, operation: "open the store", path: directory, detail: "its blocks are of a format that no release wrote; " + advice)
    }

    private static func integer(_ statement: Statement) throws(SQLiteError) -> Int64 {
        var value: Int64 = 0
        while try statement.step() { value = statement.integer(0) }
        return value
    }

    /// Runs a transaction, with SQLite's errors as the store's.
    private func transaction<Result>(_ operation: String, _ body: () throws(SQLiteError) -> Result) throws(StoreError) -> Result {
        do throws(SQLiteError) { return try database.transaction(body) } catch {
            // Numbers given within a transaction that was rolled back were never given.
            deviceNumbers.removeAll()
            throw StoreError(error, operation: operation, path: database.path)
        }
    }

    // MARK: Committing

    func commit(_ group: [IncomingBatch]) throws(StoreError) -> [CommitOutcome] {
        var schemas: Set<Int> = []
        let outcomes = try transaction("commit") { () throws(SQLiteError) in try write(group, &schemas) }
        if knownSchemas.count > Self.rememberedMax { knownSchemas.removeAll() }
        knownSchemas.formUnion(schemas)
        return outcomes
    }

    /// What ends a probe's transaction; not a code of SQLite's, whose codes are positive.
    private static let takenBack = SQLiteError(code: -1, operation: "probe", detail: "taken back")

    func probe() throws(StoreError) {
        guard let device = DeviceId(Self.probeDevice) else { return }
        let block = Block([Tick(at: 0, readings: [Reading(Series("probe"), 1)])])
        let batch = Batch(kind: .samples, device: device, stream: 1, sequence: 1, sealedAt: 0, payload: block.encoded()[...])
        defer { deviceNumbers[device] = nil }
        do throws(SQLiteError) {
            try database.transaction { () throws(SQLiteError) in
                var schemas: Set<Int> = []
                _ = try write([IncomingBatch(batch: batch, block: block)], &schemas)
                throw Self.takenBack
            }
        } catch { if error.code != Self.takenBack.code { throw StoreError(error, operation: "probe", path: database.path) } }
    }

    /// What a group adds to one device.
    private struct Tally {
        var blocks: Int64 = 0
        var samples: Int64 = 0
        var bytes: Int64 = 0
        var span: Int64 = 0
    }

    private func write(_ group: [IncomingBatch], _ schemas: inout Set<Int>) throws(SQLiteError) -> [CommitOutcome] {
        var accounts = AccountBook(statements)
        var tallies: [Int64: Tally] = [:]
        var outcomes: [CommitOutcome] = []
        outcomes.reserveCapacity(group.count)
        for incoming in group {
            let device = try number(of: incoming.batch.device)
            let outcome = try accounts.take(incoming.batch, of: device)
            outcomes.append(outcome)
            guard outcome == .committed else { continue }
            if let block = incoming.block, let ticks = incoming.ticks {
                try insert(block, ticks, of: incoming.batch, device, &tallies[device, default: Tally()])
                try note(block, device, &schemas)
            }
            if let receipt = incoming.receipt {
                try receipts.keep(receipt, of: device)
                if receipt.action == .dropped { try accounts.close(receipt.sequences, of: receipt.stream, device) }
            }
        }
        try accounts.save()
        for (device, tally) in tallies {
            try statements.addToDevice(device, blocks: tally.blocks, samples: tally.samples, bytes: tally.bytes, span: tally.span)
        }
        return outcomes
    }

    private func insert(
        _ block: Block, _ ticks: TickCoverage, of batch: Batch, _ device: Int64, _ tally: inout Tally
    ) throws(SQLiteError) {
        let samples = Int64(block.sampleCount)
        try statements.insertBlock(device, batch, ticks, count: Int64(block.timestamps.count), samples: samples)
        tally.blocks += 1
        tally.samples += samples
        tally.bytes += Int64(batch.payload.count)
        tally.span = max(tally.span, ticks.end - ticks.start)
    }

    private func note(_ block: Block, _ device: Int64, _ schemas: inout Set<Int>) throws(SQLiteError) {
        var hasher = Hasher()
        hasher.combine(device)
        for column in block.columns { hasher.combine(column.series) }
        let schema = hasher.finalize()
        guard !knownSchemas.contains(schema), schemas.insert(schema).inserted else { return }
        for column in block.columns { try statements.insertSeries(device, SeriesKey.bytes(of: column.series)) }
    }

    private func number(of device: DeviceId) throws(SQLiteError) -> Int64 {
        if let known = deviceNumbers[device] { return known }
        if deviceNumbers.count >= Self.rememberedMax { deviceNumbers.removeAll() }
        let number = try statements.deviceNumber(device)
        deviceNumbers[device] = number
        return number
    }

    // MARK: Other collectors

    func devicesChangedByOthers() throws(StoreError) -> Set<DeviceId> {
        do throws(SQLiteError) {
            // "The integer values returned by two invocations of "PRAGMA data_version" from the same connection will be different if changes
            // were committed to the database by any other connection in the interim."
            let version = try Self.integer(dataVersion)
            let isAlone = version == versionSeen
            let before = blockSeen
            versionSeen = version
            blockSeen = try Self.integer(newestBlock)
            guard !isAlone else { return [] }
            changedDevices.bind(1, before)
            var devices: Set<DeviceId> = []
            while try changedDevices.step() { if let device = DeviceId(changedDevices.text(0)) { devices.insert(device) } }
            return devices
        } catch { throw StoreError(error, operation: "look for what others wrote", path: database.path) }
    }

    func keep(_ validations: [CertificateValidation]) throws(StoreError) {
        try transaction("keep validations") { () throws(SQLiteError) in try certificateMetrics.keep(validations) }
    }

    // MARK: Quarantine

    func quarantine(_ items: [QuarantinedItem]) throws(StoreError) -> Int {
        var removed = 0
        try transaction("quarantine") { () throws(SQLiteError) in
            var accounts = AccountBook(statements)
            for item in items { if let place = item.place { try accounts.refuse(place, try number(of: item.device)) } }
            try accounts.save()
            try quarantineTable.insert(items)
            removed = try quarantineTable.trim()
        }
        return removed
    }

    func setQuarantineReason(of id: Int64, _ reason: String) throws(StoreError) {
        try transaction("change the quarantine") { () throws(SQLiteError) in try quarantineTable.setReason(of: id, reason) }
    }

    func removeQuarantined(id: Int64) throws(StoreError) -> Bool {
        try transaction("change the quarantine") { () throws(SQLiteError) in try quarantineTable.remove(id) }
    }
}
