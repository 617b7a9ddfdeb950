import Telemetry

/// All that can still be read in a damaged file: every page is looked at by itself, without the index, the tree or the schema, and every row proves itself by a
/// checksum. What it remembers is bounded.
struct SalvageScan {
    /// Batches taken over at most, and rows of ticks looked at. Of either only the places are remembered.
    static let batchesMax = 262_144
    static let ticksMax = 2 * BufferLimits.pendingTicksMax

    /// Where a row is.
    struct Place {
        /// The number of the row: a batch's sequence, a tick's number.
        let row: Int64
        /// Of a batch; 0 for a tick.
        let stream: StreamId
        let page: UInt32
        let image: Int64
        let cell: UInt16

        var sequence: Sequence64 { UInt64(clamping: row) }
    }

    let file: PagedFile
    /// Of the batches, by sequence, each once.
    private(set) var places: [Place] = []
    /// Of the ticks, by number; one that is there several times has the newest first.
    private(set) var tickPlaces: [Place] = []
    /// The newest state that was found.
    private(set) var state: BufferState?
    /// Cells that hold no row of ours, or a damaged one, on pages that have some.
    private(set) var damagedRows = 0
    private(set) var series: [Int64: Series] = [:]

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
        case 5:
            guard Self.isTick(row), tickPlaces.count < Self.ticksMax else { break }
            tickPlaces.append(Place(row: row.id, stream: 0, page: UInt32(page), image: image, cell: UInt16(cell)))
            return
        case 10:
            guard let batch = Self.batch(row), places.count < Self.batchesMax else { break }
            places.append(Place(row: row.id, stream: batch.stream, page: UInt32(page), image: image, cell: UInt16(cell)))
            return
        default: break
        }
        damagedRows += 1
    }

    private static func batch(_ row: TableLeaf.Row) -> Batch? {
        guard row.values.count == 10, let bytes = row.values[9].blob, let batch = try? Batch(decoding: bytes), Int64(batch.sequence) == row.id,
            batch.sequence <= BufferState.newestMax
        else { return nil }
        return batch
    }

    private static func isTick(_ row: TableLeaf.Row) -> Bool {
        row.values.count == 5 && (1...TickRow.numberMax).contains(row.id) && (1...3).allSatisfy { row.values[$0].integer != nil }
            && row.values[4].blob != nil
    }

    private mutating func sort() {
        places.sort { ($0.row, $0.stream) < ($1.row, $1.stream) }
        var kept: [Place] = []
        kept.reserveCapacity(places.count)
        for place in places where kept.last?.row != place.row || kept.last?.stream != place.stream { kept.append(place) }
        places = kept
        tickPlaces.sort { ($0.row, $1.image) < ($1.row, $0.image) }
    }

    private func row(at place: Place) -> TableLeaf.Row? {
        guard let page = file.page(Int(place.page), at: place.image), let leaf = TableLeaf(page, of: file), Int(place.cell) < leaf.cells else {
            return nil
        }
        return leaf.row(Int(place.cell))
    }

    /// The batch at a place, with its row's numbers: no checksum covers those, so they keep to what a batch can have.
    func batch(at place: Place) -> NewBatch? {
        guard let row = row(at: place), let batch = Self.batch(row) else { return nil }
        func number(_ column: Int, _ most: Int64) -> Int64 { min(max(row.values[column].integer ?? 0, 0), most) }
        return NewBatch(
            batch: batch, samples: number(4, Int64(Block.samplesMax)), ticks: number(5, Int64(Block.ticksMax)), firstAt: number(6, TickTime.wallMax),
            lastAt: number(7, TickTime.wallMax), lastTick: 0)
    }

    /// The tick at a place; nil for a row that is not as it was written.
    func tick(at place: Place) -> (tick: PendingTick, lostReadings: Int)? {
        guard let row = row(at: place), Self.isTick(row), let at = row.values[1].integer, let boot = row.values[2].integer,
            let bootId = row.values[3].integer, let readings = row.values[4].blob
        else { return nil }
        return TickRow.decode(readings, row: row.id, at: at, boot: boot, bootId: bootId) { series[$0] }
    }

    /// The highest number of a tick that is in a batch, as far as batches tell which the state does not know of yet.
    var sealedTick: Int64 {
        for place in places.reversed() where place.sequence > state?.newest ?? 0 {
            if let last = row(at: place)?.values[8].integer, last > 0 { return min(last, TickRow.numberMax) }
        }
        return 0
    }
}
