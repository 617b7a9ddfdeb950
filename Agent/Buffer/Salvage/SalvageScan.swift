import Telemetry

/// All that can still be read in a damaged file: every page is looked at by itself, without the index, the tree or the schema, and every row proves itself by a
/// checksum. What it remembers is bounded.
struct SalvageScan {
    /// Batches taken over at most, and ticks looked at.
    static let batchesMax = 262_144
    static let ticksMax = 2 * BufferLimits.pendingTicksMax

    /// Where a batch is.
    struct Place {
        let stream: StreamId
        let sequence: Sequence64
        let page: UInt32
        let image: Int64
        let cell: UInt16
    }

    let file: PagedFile
    /// By sequence, each once.
    private(set) var places: [Place] = []
    /// The newest state that was found.
    private(set) var state: BufferState?
    /// The highest number of a tick that is known to be in a batch.
    private(set) var sealedTick: Int64 = 0
    /// Cells that hold no row of ours, or a damaged one, on pages that have some.
    private(set) var damagedRows = 0

    private var ticks: [(row: Int64, at: Int64, boot: Int64, bootId: Int64, readings: [UInt8])] = []
    private var series: [Int64: Series] = [:]

    init(_ file: PagedFile) {
        self.file = file
        let free = file.freePages()
        for number in stride(from: 2, through: file.pageCount, by: 1) where !free.contains(number) {
            // Where the newest image has damage, an older one may still have the row.
            for image in file.images(of: number) {
                guard let page = file.page(number, at: image), let leaf = TableLeaf(page, of: file) else { break }
                let before = damagedRows
                for cell in 0..<leaf.cells { look(at: leaf, number, image, cell) }
                if damagedRows == before { break }
            }
        }
        sort()
    }

    private mutating func look(at leaf: TableLeaf, _ page: Int, _ image: Int64, _ cell: Int) {
        guard let row = leaf.row(cell) else {
            damagedRows += 1
            return
        }
        switch row.values.count {
        case 2:
            guard let bytes = row.values[1].blob, let found = BufferState(decoding: bytes) else { break }
            if state.map({ $0.newest <= found.newest }) ?? true { state = found }
            return
        case 3:
            guard let key = row.values[1].blob, let checksum = row.values[2].integer, let one = SeriesRow.series(row.id, key, checksum) else { break }
            if series.count < BufferFile.seriesMax { series[row.id] = one }
            return
        case 5: if takeTick(row) { return }
        case 10:
            guard let batch = Self.batch(row), places.count < Self.batchesMax else { break }
            sealedTick = max(sealedTick, row.values[8].integer ?? 0)
            places.append(Place(stream: batch.stream, sequence: batch.sequence, page: UInt32(page), image: image, cell: UInt16(cell)))
            return
        default: break
        }
        damagedRows += 1
    }

    private static func batch(_ row: TableLeaf.Row) -> Batch? {
        guard row.values.count == 10, let bytes = row.values[9].blob, let batch = try? Batch(decoding: bytes), Int64(batch.sequence) == row.id else {
            return nil
        }
        return batch
    }

    private mutating func takeTick(_ row: TableLeaf.Row) -> Bool {
        guard let at = row.values[1].integer, let boot = row.values[2].integer, let bootId = row.values[3].integer,
            let readings = row.values[4].blob, row.id > 0, ticks.count < Self.ticksMax
        else { return false }
        ticks.append((row.id, at, boot, bootId, readings))
        return true
    }

    private mutating func sort() {
        places.sort { ($0.sequence, $0.stream) < ($1.sequence, $1.stream) }
        var kept: [Place] = []
        kept.reserveCapacity(places.count)
        for place in places where kept.last?.sequence != place.sequence || kept.last?.stream != place.stream { kept.append(place) }
        places = kept
        ticks.sort { $0.row < $1.row }
    }

    /// The batch at a place, with its row's numbers.
    func batch(at place: Place) -> NewBatch? {
        guard let page = file.page(Int(place.page), at: place.image), let leaf = TableLeaf(page, of: file), Int(place.cell) < leaf.cells,
            let row = leaf.row(Int(place.cell)), let batch = Self.batch(row)
        else { return nil }
        func number(_ column: Int) -> Int64 { row.values[column].integer ?? 0 }
        return NewBatch(
            batch: batch, samples: number(4), ticks: number(5), firstAt: number(6), lastAt: number(7), lastTick: 0)
    }

    /// What became of the ticks that were found.
    struct Ticks {
        /// Certainly never sealed.
        var unsealed: [PendingTick] = []
        /// Sealed by the mark or a batch, but not by the state: their batch may be lost.
        var uncertain: [PendingTick] = []
        /// Those whose rows are damaged, or missing between others.
        var missing = 0
        /// Readings of ticks that are here, whose series are not.
        var lostReadings = 0
        /// The first tick that has lost some.
        var firstWithLoss: PendingTick?
    }

    /// The ticks, judged by how far was sealed. Where nobody can tell, none is certain.
    func ticks(_ mark: SealMark?) -> Ticks {
        var found = Ticks()
        let sealedByState = state?.sealedTick ?? 0
        let isKnown = state != nil || mark != nil
        let bound = isKnown ? max(mark?.sealedTick ?? 0, sealedTick, sealedByState) : Int64.max
        var newest = sealedByState
        for tick in ticks where tick.row > newest {
            guard
                let decoded = TickRow.decode(tick.readings, row: tick.row, at: tick.at, boot: tick.boot, bootId: tick.bootId, series: { series[$0] })
            else { continue }
            newest = tick.row
            if decoded.lostReadings > 0, found.firstWithLoss == nil { found.firstWithLoss = decoded.tick }
            // What has lost all of its readings is no tick any more: it is missing.
            if decoded.tick.tick.readings.isEmpty, decoded.lostReadings > 0 {
                found.lostReadings += decoded.lostReadings
                continue
            }
            found.lostReadings += decoded.lostReadings
            if tick.row > bound { found.unsealed.append(decoded.tick) } else { found.uncertain.append(decoded.tick) }
        }
        // Numbers rise by one; those of ticks that were given up before are missing too, and have their receipt.
        if isKnown, let last = ticks.last?.row, last > bound, last - bound <= Int64(Self.ticksMax) {
            found.missing = max(0, Int(last - bound) - found.unsealed.count - Int(clamping: state?.pendingLoss?.ticks ?? 0))
        } else {
            found.missing = max(0, ticks.count - found.unsealed.count - found.uncertain.count)
        }
        return found
    }
}
