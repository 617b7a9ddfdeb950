import SQLiteDriver
import ServiceSupport
import Telemetry

/// The one writer of the embedded store: a connection on a thread of its own, prepared statements, a transaction a group.
actor TimeSeriesWriter {
    /// Devices and schemas remembered; beyond it they are looked up again.
    private static let rememberedMax = 100_000

    private let executor: ThreadExecutor
    private let database: Database
    private let statements: WriterStatements
    private var deviceNumbers: [DeviceId: Int64] = [:]
    /// Hashes of (device, its series) whose series are in the table.
    private var knownSchemas: Set<Int> = []
    private var quarantineRows: Int64
    private var quarantineBytes: Int64

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(directory: String) throws(StoreError) {
        executor = ThreadExecutor(name: "store-write")
        let database = try EmbeddedDatabase.open(directory: directory, file: TimeSeriesSchema.file, migrations: TimeSeriesSchema.migrations)
        do throws(SQLiteError) {
            statements = try WriterStatements(database)
            quarantineRows = try database.integer("SELECT count(*) FROM quarantine") ?? 0
            quarantineBytes = try database.integer("SELECT sum(length(bytes)) FROM quarantine") ?? 0
        } catch { throw StoreError(error, operation: "open the store", path: database.path) }
        self.database = database
    }

    // MARK: Committing

    func commit(_ group: [IncomingBatch]) throws(StoreError) -> [CommitOutcome] {
        var schemas: Set<Int> = []
        do throws(SQLiteError) {
            let outcomes = try database.transaction { () throws(SQLiteError) in try write(group, &schemas) }
            if knownSchemas.count > Self.rememberedMax { knownSchemas.removeAll() }
            knownSchemas.formUnion(schemas)
            return outcomes
        } catch {
            // Numbers given within a transaction that was rolled back were never given.
            deviceNumbers.removeAll()
            throw StoreError(error, operation: "commit", path: database.path)
        }
    }

    private struct StreamKey: Hashable {
        let device: Int64
        let stream: StreamId
    }

    /// What a group adds to one device.
    private struct Tally {
        var blocks: Int64 = 0
        var samples: Int64 = 0
        var bytes: Int64 = 0
        var span: Int64 = 0
        var newest: Tick?
    }

    private func write(_ group: [IncomingBatch], _ schemas: inout Set<Int>) throws(SQLiteError) -> [CommitOutcome] {
        var taken: [StreamKey: TakenSequences] = [:]
        var tallies: [Int64: Tally] = [:]
        var outcomes: [CommitOutcome] = []
        outcomes.reserveCapacity(group.count)
        for incoming in group {
            let device = try number(of: incoming.batch.device)
            let key = StreamKey(device: device, stream: incoming.batch.stream)
            let known = taken.removeValue(forKey: key)
            var sequences = if let known { known } else { try statements.taken(device, key.stream) ?? TakenSequences() }
            let outcome = sequences.take(incoming.batch.sequence)
            taken[key] = sequences
            outcomes.append(outcome)
            guard outcome == .committed, let block = incoming.block else { continue }
            try insert(block, of: incoming.batch, device, &tallies[device, default: Tally()])
            try note(block.columns.map { $0.series }, device, &schemas)
        }
        for (key, sequences) in taken { try statements.setTaken(key.device, key.stream, sequences) }
        for (device, tally) in tallies {
            try statements.addToDevice(device, blocks: tally.blocks, samples: tally.samples, bytes: tally.bytes, span: tally.span)
            if let newest = tally.newest { try statements.setLatest(device, newest.at, Block([newest]).encoded()) }
        }
        return outcomes
    }

    private func insert(_ block: Block, of batch: Batch, _ device: Int64, _ tally: inout Tally) throws(SQLiteError) {
        let start = block.timestamps.min() ?? 0
        let end = block.timestamps.max() ?? 0
        let samples = Int64(block.sampleCount)
        try statements.insertBlock(device, batch, start: start, end: end, ticks: Int64(block.timestamps.count), samples: samples)
        tally.blocks += 1
        tally.samples += samples
        tally.bytes += Int64(batch.payload.count)
        tally.span = max(tally.span, end - start)
        if end >= tally.newest?.at ?? .min, let tick = block.newestTick { tally.newest = tick }
    }

    private func note(_ series: [Series], _ device: Int64, _ schemas: inout Set<Int>) throws(SQLiteError) {
        var hasher = Hasher()
        hasher.combine(device)
        hasher.combine(series)
        let schema = hasher.finalize()
        guard !knownSchemas.contains(schema), schemas.insert(schema).inserted else { return }
        for series in series { try statements.insertSeries(device, SeriesKey.bytes(of: series)) }
    }

    private func number(of device: DeviceId) throws(SQLiteError) -> Int64 {
        if let known = deviceNumbers[device] { return known }
        if deviceNumbers.count >= Self.rememberedMax { deviceNumbers.removeAll() }
        let number = try statements.deviceNumber(device)
        deviceNumbers[device] = number
        return number
    }

    // MARK: Quarantine

    func quarantine(_ items: [QuarantinedItem]) throws(StoreError) {
        do throws(SQLiteError) {
            (quarantineRows, quarantineBytes) = try database.transaction { () throws(SQLiteError) in
                for item in items { try statements.insertQuarantined(item) }
                let rows = quarantineRows + Int64(items.count)
                let bytes = quarantineBytes + Int64(items.reduce(0) { $0 + $1.bytes.count })
                return try trimQuarantine(rows, bytes)
            }
        } catch { throw StoreError(error, operation: "quarantine", path: database.path) }
    }

    /// Removes the oldest until both bounds hold; what is left then.
    private func trimQuarantine(_ rows: Int64, _ bytes: Int64) throws(SQLiteError) -> (Int64, Int64) {
        var (rows, bytes) = (rows, bytes)
        while rows > TimeSeriesLimits.quarantineRowsMax || bytes > TimeSeriesLimits.quarantineBytesMax {
            guard let removed = try statements.deleteOldestQuarantined() else { break }
            rows -= 1
            bytes -= removed
        }
        return (rows, bytes)
    }
}

extension Block {
    /// How far back a series' newest value still counts as what the device shows now, in milliseconds: some are sampled less often than others.
    private static var currentMax: Int64 { 60_000 }

    /// What the device shows at the greatest timestamp: the newest value of each series that is not much older.
    package var newestTick: Tick? {
        guard let end = timestamps.max() else { return nil }
        var tick = Tick(at: end, readings: [])
        tick.readings.reserveCapacity(columns.count)
        let endsWithNewest = timestamps.last == end
        for column in columns {
            if endsWithNewest, column.presence?.last ?? true, let last = column.values.last {
                tick.readings.append(Reading(column.series, last))
                continue
            }
            var newest: (at: Int64, value: Double)?
            column.forEach { index, value in if timestamps[index] >= newest?.at ?? .min { newest = (timestamps[index], value) } }
            if let newest, end.subtractingReportingOverflow(newest.at).partialValue <= Self.currentMax {
                tick.readings.append(Reading(column.series, newest.value))
            }
        }
        return tick
    }
}
