import LinuxDriver
import SQLiteDriver
import Telemetry

/// The ticks that wait to be sealed, in memory and in the file, and the numbers that stand for their series there. At most `pendingTicksMax`
/// of them: a clock that is not set for days, or a disk on which sealing fails, thins them out instead of filling the memory.
final class UnsealedTicks {
    private(set) var ticks: [PendingTick] = []
    /// Samples in all of them.
    private(set) var samples = 0
    /// What was thinned out and has no receipt yet.
    private(set) var thinned: ThinnedTicks?

    private let database: Database
    private let statements: BufferStatements
    /// Only of rows that are committed: SQLite gives the number of a row that was rolled back to the next one.
    private var seriesIds: [Series: Int64] = [:]

    /// Rows read at a time when the buffer is opened.
    private static let chunkTicks = 1_024

    /// Takes up the ticks that an earlier run did not seal.
    init(_ database: Database, _ statements: BufferStatements) throws(SQLiteError) {
        self.database = database
        self.statements = statements
        if try statements.selectThinned.step() {
            thinned = ThinnedTicks(decoding: statements.selectThinned.bytes(0))
            statements.selectThinned.reset()
        }
        let series = try recoverSeries()
        var bound = Int64.min
        while true {
            if ticks.count >= BufferLimits.pendingTicksMax { try thin() }
            let wanted = min(Self.chunkTicks, BufferLimits.pendingTicksMax - ticks.count)
            let found = try recoverTicks(after: bound, limit: wanted, series)
            guard found == wanted, let last = ticks.last else { return }
            bound = last.row
        }
    }

    private func recoverSeries() throws(SQLiteError) -> [Int64: Series] {
        var series: [Int64: Series] = [:]
        while try statements.selectSeries.step() {
            guard let one = try? SeriesKey.series(statements.selectSeries.bytes(1)) else { continue }
            series[statements.selectSeries.integer(0)] = one
            seriesIds[one] = statements.selectSeries.integer(0)
        }
        return series
    }

    private func recoverTicks(after bound: Int64, limit: Int, _ series: [Int64: Series]) throws(SQLiteError) -> Int {
        let rows = statements.selectTicks
        rows.bind(1, bound)
        rows.bind(2, Int64(limit))
        var found = 0
        while try rows.step() {
            let readings = TickRow.decode(rows.bytes(4)) { series[$0] }
            let tick = Tick(at: rows.integer(1), readings: readings)
            ticks.append(PendingTick(row: rows.integer(0), tick: tick, boot: rows.integer(2), bootId: rows.integer(3)))
            samples += readings.count
            found += 1
        }
        return found
    }

    // MARK: Taking

    /// Takes a tick; it is in the file when this returns, and nowhere when it throws.
    func append(_ tick: Tick, boot: Int64, bootId: Int64) throws(SQLiteError) {
        if ticks.count >= BufferLimits.pendingTicksMax { try thin() }
        var row: Int64 = 0
        var added: [Series: Int64] = [:]
        try database.transaction { () throws(SQLiteError) in
            added = try insertSeries(of: tick.readings)
            statements.insertTick.bind(1, tick.at)
            statements.insertTick.bind(2, boot)
            statements.insertTick.bind(3, bootId)
            statements.insertTick.bind(4, TickRow.encode(tick.readings) { seriesIds[$0] ?? added[$0] })
            try statements.insertTick.run()
            row = database.lastInsertedRow
        }
        for (series, id) in added { seriesIds[series] = id }
        ticks.append(PendingTick(row: row, tick: tick, boot: boot, bootId: bootId))
        samples += tick.readings.count
    }

    /// Gives a row to each series that has none; their numbers hold only if the transaction does.
    private func insertSeries(of readings: [Reading]) throws(SQLiteError) -> [Series: Int64] {
        var added: [Series: Int64] = [:]
        for reading in readings where seriesIds[reading.series] == nil && added[reading.series] == nil {
            guard seriesIds.count + added.count < BufferFile.seriesMax else { break }
            // What no block can carry has no key of its own.
            guard SeriesKey.isEncodable(reading.series) else { continue }
            statements.insertSeries.bind(1, SeriesKey.bytes(of: reading.series))
            try statements.insertSeries.run()
            added[reading.series] = database.lastInsertedRow
        }
        return added
    }

    /// Drops every second tick of the older half, in the file and in memory, and notes it for the receipt.
    private func thin() throws(SQLiteError) {
        let half = ticks.count / 2
        var kept: [PendingTick] = []
        kept.reserveCapacity(half / 2 + 1)
        var noted = thinned ?? ThinnedTicks()
        var dropped = 0
        try database.transaction { () throws(SQLiteError) in
            for index in 0..<half {
                if index % 2 == 0 {
                    kept.append(ticks[index])
                    continue
                }
                noted.add(ticks[index])
                dropped += ticks[index].tick.readings.count
                statements.deleteTick.bind(1, ticks[index].row)
                try statements.deleteTick.run()
            }
            statements.setThinned.bind(1, noted.encoded())
            try statements.setThinned.run()
        }
        ticks.replaceSubrange(0..<half, with: kept)
        samples -= dropped
        thinned = noted
    }

    // MARK: Sealing

    /// Deletes all ticks from the file, as part of the transaction that seals them, and the series' numbers once they are many: no row needs
    /// them any more. `forget` follows when the transaction has succeeded.
    func deleteRows() throws(SQLiteError) {
        if let last = ticks.last {
            statements.deleteTicks.bind(1, last.row)
            try statements.deleteTicks.run()
        }
        try statements.deleteThinned.run()
        if beginsSeriesAnew { try statements.deleteSeries.run() }
    }

    /// Forgets in memory what `deleteRows` deleted.
    func forget() {
        if beginsSeriesAnew { seriesIds.removeAll() }
        ticks.removeAll(keepingCapacity: true)
        samples = 0
        thinned = nil
    }

    private var beginsSeriesAnew: Bool { seriesIds.count >= BufferFile.seriesKeptMax }
}
