import LinuxDriver
import SQLiteDriver
import Telemetry

/// The ticks that wait to be sealed, in memory and in the file, and the numbers that stand for their series there. What belongs into one
/// transaction with other things is called from within one; what follows in memory is called when it has succeeded.
final class UnsealedTicks {
    private(set) var ticks: [PendingTick] = []
    /// Samples in all of them, and the bytes of their rows.
    private(set) var samples = 0
    private(set) var bytes: Int64 = 0
    /// The highest number that a tick ever had.
    private(set) var newest: Int64

    private let database: Database
    private let statements: BufferStatements
    private let limits: BufferLimits
    /// Only of rows that are committed: SQLite gives the number of a row that was rolled back to the next one.
    private var seriesIds: [Series: Int64] = [:]
    private var newestSeries: Int64 = 0
    /// The series of a tick and their numbers: most that follow have the same, in the same order, and nothing is to be looked for.
    private var usual: (readings: [Reading], numbers: [Int64?]) = ([], [])

    /// Rows read at a time when the buffer is opened.
    private static let chunkTicks = 1_024
    /// What a row takes beside its readings.
    private static let rowOverhead: Int64 = 48

    /// Nothing of the file is read before `recover`.
    init(_ database: Database, _ statements: BufferStatements, _ limits: BufferLimits, after newest: Int64) {
        self.database = database
        self.statements = statements
        self.limits = limits
        self.newest = newest
    }

    // MARK: Opening

    /// What was found that is not as it was written, and was left out.
    struct Damage: Equatable {
        var rows: [Int64] = []
        /// Rows of ticks that are in a batch already, or were given up: nothing is lost with them.
        var sealedRows: [Int64] = []
        var series: [Int64] = []
        /// Readings of whole ticks whose series is damaged.
        var readings = 0
        /// The time from which on something is missing, as the clock showed it; nil when it is not known.
        var from: Int64?

        mutating func note(_ at: Int64?) {
            if let at, TickTime.isPlausible(at) { from = min(from ?? at, at) }
        }

        var isNone: Bool { sealedRows.isEmpty && isNothingLost }
        var isNothingLost: Bool { rows.isEmpty && series.isEmpty && readings == 0 }
    }

    /// Takes up the ticks that an earlier run did not seal. `makeRoom` is called when more of them were there than may wait.
    func recover(makingRoom makeRoom: () throws(SQLiteError) -> Void) throws(SQLiteError) -> Damage {
        var damage = Damage()
        let sealed = newest
        let series = try recoverSeries(&damage)
        var bound = Int64.min
        while true {
            while isFull(for: 1, bytes: 0), !ticks.isEmpty { try makeRoom() }
            let wanted = max(1, min(Self.chunkTicks, BufferLimits.pendingTicksMax - ticks.count))
            guard let last = try recoverTicks(after: bound, sealed, limit: wanted, series, &damage) else { return damage }
            bound = last
        }
    }

    private func recoverSeries(_ damage: inout Damage) throws(SQLiteError) -> [Int64: Series] {
        var series: [Int64: Series] = [:]
        let rows = statements.selectSeries
        var last = Int64.min
        while try rows.step() {
            let id = rows.integer(0)
            guard id > last || last == .min else { throw BufferSession.damage("its series are out of order") }
            last = id
            newestSeries = max(newestSeries, min(id, Int64(BufferFile.seriesMax) * 2))
            guard let one = SeriesRow.series(id, rows.bytes(1), rows.integer(2)), series.count < BufferFile.seriesMax else {
                damage.series.append(id)
                continue
            }
            series[id] = one
            seriesIds[one] = id
        }
        return series
    }

    /// The number of the last row; nil when there are no more.
    private func recoverTicks(
        after bound: Int64, _ sealed: Int64, limit: Int, _ series: [Int64: Series], _ damage: inout Damage
    ) throws(SQLiteError) -> Int64? {
        let rows = statements.selectTicks
        rows.bind(1, bound)
        rows.bind(2, Int64(limit))
        var last: Int64?
        while try rows.step() {
            let row = rows.integer(0)
            guard row > last ?? bound else { throw BufferSession.damage("its ticks are out of order") }
            last = row
            let bytes = rows.bytes(4)
            let found = TickRow.decode(bytes, row: row, at: rows.integer(1), boot: rows.integer(2), bootId: rows.integer(3)) { series[$0] }
            guard let found, (1...TickRow.numberMax).contains(row) else {
                damage.rows.append(row)
                damage.note(ticks.last?.tick.at)
                continue
            }
            if row <= sealed {
                damage.sealedRows.append(row)
                continue
            }
            damage.readings += found.lostReadings
            if found.lostReadings > 0 { damage.note(found.tick.tick.at) }
            if found.tick.tick.readings.isEmpty, found.lostReadings > 0 {
                damage.rows.append(row)
                continue
            }
            take(found.tick, bytes: Int64(bytes.count))
        }
        return last
    }

    private func take(_ tick: PendingTick, bytes: Int64) {
        ticks.append(tick)
        samples += tick.tick.readings.count
        self.bytes += bytes + Self.rowOverhead
        newest = max(newest, tick.row)
    }

    /// Deletes what `recover` left out.
    func delete(_ damage: Damage) throws(SQLiteError) {
        for row in damage.rows + damage.sealedRows {
            statements.deleteTick.bind(1, row)
            try statements.deleteTick.run()
        }
        for id in damage.series {
            statements.deleteOneSeries.bind(1, id)
            try statements.deleteOneSeries.run()
        }
    }

    // MARK: Taking

    /// Whether a tick of so many readings would be more than may wait.
    func isFull(for readings: Int) -> Bool { isFull(for: readings, bytes: Self.bytes(of: readings)) }

    /// Whether a tick of so many readings is more than may wait at all.
    func isTooLarge(_ readings: Int) -> Bool {
        readings > BufferLimits.pendingSamplesMax || Self.bytes(of: readings) > limits.pendingBytesMax
    }

    private func isFull(for readings: Int, bytes: Int64) -> Bool {
        ticks.count >= BufferLimits.pendingTicksMax || samples + readings > BufferLimits.pendingSamplesMax
            || self.bytes + bytes > limits.pendingBytesMax
    }

    static func bytes(of readings: Int) -> Int64 { Int64(readings) * 10 + rowOverhead }

    /// Ticks that were written and are not in memory yet.
    struct Insertion {
        fileprivate var ticks: [(tick: PendingTick, bytes: Int64)] = []
        fileprivate var series: [Series: Int64] = [:]
        fileprivate var numbers: [Int64?] = []
    }

    /// Takes a tick; it is in the file when this returns, and nowhere when it throws.
    func append(_ tick: Tick, boot: Int64, bootId: Int64) throws(SQLiteError) {
        var insertion = Insertion()
        let pending = PendingTick(row: 0, tick: tick, boot: boot, bootId: bootId)
        if isUsual(tick.readings) {
            // One statement is a transaction by itself.
            try insert(pending, usual.numbers, &insertion)
            return take(insertion)
        }
        try database.transaction { () throws(SQLiteError) in try insert([pending], &insertion) }
        take(insertion)
        usual = (tick.readings, insertion.numbers)
    }

    private func isUsual(_ readings: [Reading]) -> Bool {
        guard readings.count == usual.readings.count, !readings.isEmpty else { return false }
        for index in readings.indices where readings[index].series != usual.readings[index].series { return false }
        return true
    }

    /// Writes ticks under the next numbers, as part of a transaction; `take` follows when it has succeeded.
    func insert(_ added: [PendingTick], _ insertion: inout Insertion) throws(SQLiteError) {
        for pending in added {
            try insertSeries(of: pending.tick.readings, &insertion.series)
            insertion.numbers = pending.tick.readings.map { seriesIds[$0.series] ?? insertion.series[$0.series] }
            try insert(pending, insertion.numbers, &insertion)
        }
    }

    private func insert(_ added: PendingTick, _ numbers: [Int64?], _ insertion: inout Insertion) throws(SQLiteError) {
        var pending = added
        pending.row = newest + Int64(insertion.ticks.count) + 1
        let bytes = TickRow.encode(pending, numbers: numbers)
        statements.insertTick.bind(1, pending.row)
        statements.insertTick.bind(2, pending.tick.at)
        statements.insertTick.bind(3, pending.boot)
        statements.insertTick.bind(4, pending.bootId)
        statements.insertTick.bind(5, bytes)
        try statements.insertTick.run()
        insertion.ticks.append((pending, Int64(bytes.count)))
    }

    func take(_ insertion: Insertion) {
        newestSeries += Int64(insertion.series.count)
        for (series, id) in insertion.series { seriesIds[series] = id }
        for (tick, bytes) in insertion.ticks { take(tick, bytes: bytes) }
    }

    /// Gives a row to each series that has none; their numbers hold only if the transaction does.
    private func insertSeries(of readings: [Reading], _ added: inout [Series: Int64]) throws(SQLiteError) {
        for reading in readings where seriesIds[reading.series] == nil && added[reading.series] == nil {
            guard seriesIds.count + added.count < BufferFile.seriesMax else { break }
            // What no block can carry has no key of its own.
            guard SeriesKey.isEncodable(reading.series) else { continue }
            let id = newestSeries + Int64(added.count) + 1
            let key = SeriesKey.bytes(of: reading.series)
            statements.insertSeries.bind(1, id)
            statements.insertSeries.bind(2, key)
            statements.insertSeries.bind(3, SeriesRow.checksum(id, key))
            try statements.insertSeries.run()
            added[reading.series] = id
        }
    }

    /// What may wait beside what does.
    var room: PendingRoom {
        PendingRoom(
            ticks: BufferLimits.pendingTicksMax - ticks.count, samples: BufferLimits.pendingSamplesMax - samples,
            bytes: limits.pendingBytesMax - bytes)
    }

    // MARK: Giving up

    /// Which ticks go when too many wait: every second of the older half, or the oldest where there are few.
    var surplus: [PendingTick] {
        let half = ticks.count / 2
        return half < 2 ? Array(ticks.prefix(1)) : stride(from: 1, to: half, by: 2).map { ticks[$0] }
    }

    func deleteRows(of given: [PendingTick]) throws(SQLiteError) {
        for tick in given {
            statements.deleteTick.bind(1, tick.row)
            try statements.deleteTick.run()
        }
    }

    /// Forgets in memory what `deleteRows(of:)` deleted; both are in order.
    func forget(_ given: [PendingTick]) {
        var next = 0
        ticks.removeAll { tick in
            guard next < given.count, given[next].row == tick.row else { return false }
            next += 1
            return true
        }
        count()
    }

    private func count() {
        samples = ticks.reduce(0) { $0 + $1.tick.readings.count }
        bytes = ticks.reduce(0) { $0 + Self.bytes(of: $1.tick.readings.count) }
    }

    // MARK: Sealing

    /// Deletes the ticks up to this one from the file, and with the last of them the series' numbers once they are many: no row needs them any
    /// more.
    func deleteRows(through row: Int64) throws(SQLiteError) {
        guard let last = ticks.last else { return }
        if row < last.row {
            statements.deleteTicks.bind(1, row)
            return try statements.deleteTicks.run()
        }
        try statements.deleteAllTicks.run()
        if beginsSeriesAnew { try statements.deleteSeries.run() }
    }

    /// Forgets in memory what `deleteRows(through:)` deleted.
    func forget(through row: Int64) {
        let kept = ticks.firstIndex { $0.row > row } ?? ticks.count
        ticks.removeSubrange(..<kept)
        if ticks.isEmpty, beginsSeriesAnew {
            seriesIds.removeAll()
            usual = ([], [])
            newestSeries = 0
        }
        count()
    }

    private var beginsSeriesAnew: Bool { seriesIds.count >= BufferFile.seriesKeptMax }
}
