import SQLiteDriver
import Telemetry

/// One step at a time against a buffer that is too full. What a step costs is bounded, so that a tick never waits long for it: some rows looked at,
/// a few blocks unfolded and one written, or some rows deleted.
extension BufferSession {
    /// Rows that a step of thinning looks at, and what the batches that it unfolds may have.
    static let thinRowsMax = 64
    static let thinBytesMax: Int64 = 128 * 1024
    static let thinSamplesMax: Int64 = 32_768
    /// Batches that a step of dropping takes, and the bytes that are enough for one.
    static let dropRowsMax = 32
    static let dropBytes: Int64 = 64 * 1024
    /// A thinned batch that is not smaller than this part of what it replaces, in hundredths, is not worth it.
    static let thinWorthMax: Int64 = 80
    /// Pages that the state may need more than it has, for one more receipt.
    private static let statePages: Int64 = 4
    /// Looks in a row for something to thin.
    private static let looksMax = 32

    /// Takes one step; false when there is nothing left to give up, or no room for a receipt of it: nothing goes untold.
    func relieve(_ cause: EvictionReceipt.Cause) throws(SQLiteError) -> Bool {
        do throws(SQLiteError) { return try step(cause) } catch {
            guard error.isFull, !isFrozen else { throw error }
        }
        // Deleting rows need not free a page, and the state that tells of it has grown. A file that was made under a larger size is beyond the bound.
        try BufferFile.setPagesMax(max(limits.reliefPagesMax, usedPages() + Self.statePages), of: database)
        defer { try? BufferFile.setPagesMax(limits.databasePagesMax, of: database) }
        return try step(cause)
    }

    private func step(_ cause: EvictionReceipt.Cause) throws(SQLiteError) -> Bool {
        try deleteForgotten()
        guard canTell else { return false }
        for _ in 0..<Self.looksMax {
            let oldest = try oldestSamples(limit: 1).first
            let pressure = Pressure(
                holdings: state.holdings, capacity: limits.pressureFloorBytes, oldest: oldest?.holding,
                canThinRaw: state.minutesThrough < state.newest, canThinMinutes: state.coarseThrough < state.minutesThrough)
            switch pressure.next {
            case .thin(let resolution): if try thin(to: resolution, cause) { return true }
            case .dropSamples: return try drop(oldestSamples(limit: Self.dropRowsMax), cause)
            // Receipts last: what they tell would be known to nobody.
            case .dropUrgent:
                let most = EvictionReceipt.priority - 1
                if try drop(urgentRows(0...most, limit: Self.dropRowsMax), cause) { return true }
                return try drop(urgentRows(EvictionReceipt.priority...UInt8.max, limit: Self.dropRowsMax), cause)
            }
        }
        // Going on with the search is the next step's.
        return true
    }

    /// Whether there is room for a receipt.
    var canTell: Bool { state.owed.hasRoom(forReceipts: isSealingReceipts) }

    private func oldestSamples(limit: Int) throws(SQLiteError) -> [BatchRow] {
        guard state.holdings.all.batches > state.holdings[.urgent].batches else { return [] }
        var rows: [BatchRow] = []
        while rows.count < limit {
            let found = try self.rows(samplesFrom...Sequence64(Int64.max), limit: limit)
            guard let last = found.last else { return rows }
            rows += found.filter { !$0.isUrgent }
            guard rows.isEmpty else { return rows }
            samplesFrom = last.sequence + 1
        }
        return rows
    }

    private func drop(_ oldest: [BatchRow], _ cause: EvictionReceipt.Cause) throws(SQLiteError) -> Bool {
        var rows: [BatchRow] = []
        var bytes: Int64 = 0
        for row in oldest where bytes < Self.dropBytes && row.holding == oldest[0].holding {
            rows.append(row)
            bytes &+= row.bytes
        }
        guard !rows.isEmpty else { return false }
        try giveUp(rows, cause)
        evictedBatches += rows.count
        return true
    }

    /// Deletes batches, with a receipt.
    func giveUp(_ rows: [BatchRow], _ cause: EvictionReceipt.Cause) throws(SQLiteError) {
        var given: [BatchRow] = []
        for row in rows { given.append(try bounded(row)) }
        try change(.written) { state throws(SQLiteError) in
            try delete(given, from: &state)
            for row in given { state.owed.add(row.dropped(cause)) }
        }
        samplesGivenUp += given.reduce(0) { $0 + $1.samples }
    }

    // MARK: Thinning

    /// Thins the oldest batches that can be; false when nothing was gained, and the next look begins further on.
    private func thin(to resolution: Int, _ cause: EvictionReceipt.Cause) throws(SQLiteError) -> Bool {
        let through = resolution == Pressure.minute ? state.minutesThrough : state.coarseThrough
        // Thinning to minutes goes ahead; what it left as it was may still be worth it here.
        let end = resolution == Pressure.minute ? state.newest : state.minutesThrough
        guard through < end else { return false }
        let rows = try rows(through + 1...end, limit: Self.thinRowsMax)
        var run = run(of: rows, to: resolution)
        guard let first = run.first else {
            // Nothing here, or nothing at all: what is sealed later is looked at then.
            return skip(through: rows.last.map { state.sent.end(ofRangeAround: $0.sequence) ?? $0.sequence } ?? end, end, resolution)
        }
        let merged = try mergedPart(of: &run, to: resolution)
        let last = run[run.count - 1]
        guard let merged, merged.worth else { return skip(through: last.sequence, end, resolution) }
        try change(.written) { state throws(SQLiteError) in
            try delete(run, from: &state)
            try insert(merged.new.batch, merged.new, into: &state)
            state.owed.add(
                EvictionReceipt(
                    .thinned, cause: cause, resolution: resolution, sequences: first.firstSequence...last.sequence, from: merged.new.firstAt,
                    to: merged.new.lastAt, ticks: run.reduce(0) { $0 + $1.ticks }, samples: run.reduce(0) { $0 + $1.samples },
                    samplesLeft: merged.new.samples))
            advance(&state, through: last.sequence, resolution)
        }
        thinnedBatches += run.count
        samplesGivenUp += run.reduce(0) { $0 + $1.samples } - merged.new.samples
        return true
    }

    private func skip(through sequence: Sequence64, _ end: Sequence64, _ resolution: Int) -> Bool {
        // Only in memory: the next change writes it.
        advance(through: min(sequence, end), resolution)
        return false
    }

    /// The first run of batches that follow each other without a gap, were never sent, and were sealed by one clock.
    private func run(of rows: [BatchRow], to resolution: Int) -> [BatchRow] {
        var run: [BatchRow] = []
        var bytes: Int64 = 0
        var samples: Int64 = 0
        var span: UInt64 = 0
        for row in rows {
            let isThinnable = !row.isUrgent && row.resolution < resolution && row.ticks > 0 && !state.sent.contains(row.sequence)
            let isNext = run.last.map {
                $0.sequence + 1 == row.firstSequence && state.eras.era(of: $0.sequence) == state.eras.era(of: row.sequence)
            }
            if !isThinnable || isNext == false {
                if run.isEmpty { continue }
                break
            }
            bytes &+= row.bytes
            samples &+= row.samples
            span &+= row.span
            if !run.isEmpty, bytes > Self.thinBytesMax || samples > Self.thinSamplesMax || span > Batch.spanMax { break }
            run.append(row)
        }
        return run
    }

    /// Shortens the run until one batch can take its place, or nothing but its first is left.
    private func mergedPart(of run: inout [BatchRow], to resolution: Int) throws(SQLiteError) -> (new: NewBatch, worth: Bool)? {
        while true {
            var fitting = run.count / 2
            if let found = try merged(run, to: resolution, &fitting) { return found }
            guard run.count > 1 else { return nil }
            run.removeLast(run.count - max(1, fitting))
            if fitting == 0 { return nil }
        }
    }

    /// The batch that takes the place of a run; nil when one of them cannot be read or no block can carry the result. `fitting` is how many may go
    /// together where it is the series' names that keep them from it.
    private func merged(_ run: [BatchRow], to resolution: Int, _ fitting: inout Int) throws(SQLiteError) -> (new: NewBatch, worth: Bool)? {
        var thinning = Thinning(resolution: resolution)
        var sealedAt: Int64 = 0
        for (index, row) in run.enumerated() {
            statements.selectExact.bind(1, Int64(row.sequence))
            guard let found = try first(of: statements.selectExact), let batch = try? Batch(decoding: found.bytes), batch.kind == .samples,
                batch.sequence == row.sequence, batch.span == row.span, let block = try? Block(decoding: batch.payload)
            else { return nil }
            sealedAt = max(sealedAt, batch.sealedAt)
            thinning.add(block, isThinned: batch.resolution > 0)
            guard !thinning.isAmbiguous else {
                fitting = index
                return nil
            }
        }
        guard let block = thinning.block, let last = run.last else { return nil }
        let payload = block.encoded()
        guard payload.count <= Batch.payloadBytesMax else { return nil }
        let batch = Batch(
            kind: .samples, device: device, stream: state.stream, sequence: last.sequence, span: run.reduce(0) { $0 + $1.span },
            resolution: resolution, sealedAt: sealedAt, payload: payload[...])
        let new = NewBatch(
            batch: batch, samples: Int64(thinning.samples), ticks: Int64(block.timestamps.count), firstAt: run.reduce(.max) { min($0, $1.firstAt) },
            lastAt: run.reduce(.min) { max($0, $1.lastAt) }, lastTick: run.reduce(0) { max($0, $1.lastTick) })
        let before = run.reduce(Int64(0)) { $0 &+ $1.bytes }
        return (new, Int64(payload.count) * 100 < before * Self.thinWorthMax)
    }
}
