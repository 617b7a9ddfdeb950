import Telemetry

/// Blocks being thinned to one tick a bucket of time: of a gauge `S` the mean as `S`, and `S:count`, `S:max` and `S:min` beside it; of a counter
/// the last value. Blocks that were thinned before are taken in by their counts. A bucket's tick has the time of the newest tick in it, which
/// no other tick of the device can have.
struct Thinning {
    /// Ticks that a thinned block has at most.
    static let bucketsMax = 1_024

    private let bucketMilliseconds: Int64
    private var places: [Int64: Int] = [:]
    /// The newest tick of each bucket.
    private var times: [Int64] = []
    private var columns: [ThinnedColumn] = []
    private var indexOf: [Series: Int] = [:]
    private var isPossible = true
    /// Whether a series is called as another one's companion: what it holds could not be told from that.
    private(set) var isAmbiguous = false

    /// - Parameter resolution: seconds.
    init(resolution: Int) { bucketMilliseconds = Int64(resolution) * 1_000 }

    /// Takes in a block; `isThinned` says that its gauges have companions.
    mutating func add(_ block: Block, isThinned: Bool) {
        let buckets = block.timestamps.map { bucket(of: $0) }
        var companions: [Series: Int] = [:]
        if isThinned {
            for (index, column) in block.columns.enumerated() { companions[column.series] = index }
        }
        for column in block.columns {
            if isThinned, column.isCompanion(among: companions) { continue }
            func companion(_ suffix: StaticString) -> [Double?]? {
                companions[column.series.companion(suffix)].map { block.columns[$0].expanded(block.timestamps.count) }
            }
            let index = place(of: column.series)
            let (count, least, most) = isThinned ? (companion(":count"), companion(":min"), companion(":max")) : (nil, nil, nil)
            column.forEach { tick, value in
                columns[index].add(
                    ThinnedColumn.Cell(
                        value, at: block.timestamps[tick], count: count?[tick] ?? 1, least: least?[tick] ?? value, most: most?[tick] ?? value),
                    at: buckets[tick])
            }
        }
    }

    private mutating func bucket(of at: Int64) -> Int {
        // Rounding down, also before 1970.
        let number = at >= 0 ? at / bucketMilliseconds : (at &+ 1) / bucketMilliseconds - 1
        if let place = places[number] {
            times[place] = max(times[place], at)
            return place
        }
        places[number] = times.count
        times.append(at)
        return times.count - 1
    }

    private mutating func place(of series: Series) -> Int {
        if let index = indexOf[series] { return index }
        let column = ThinnedColumn(series)
        isPossible = isPossible && (column.isCounter || SeriesKey.isEncodable(series.companion(":count")))
        isAmbiguous =
            isAmbiguous || series.base.map { indexOf[$0] != nil } ?? false || Series.companions.contains { indexOf[series.companion($0)] != nil }
        indexOf[series] = columns.count
        columns.append(column)
        return columns.count - 1
    }

    /// Samples that are left, companions not counted.
    var samples: Int { columns.reduce(0) { $0 + $1.filled } }

    /// The thinned block; nil when a block cannot carry it.
    var block: Block? {
        let series = columns.reduce(0) { $0 + ($1.isCounter ? 1 : 4) }
        guard isPossible, !isAmbiguous, !times.isEmpty, times.count <= Self.bucketsMax, series <= Block.columnsMax,
            series * times.count <= Block.samplesMax
        else {
            return nil
        }
        return Block(times.indices.map { place in Tick(at: times[place], readings: columns.flatMap { $0.readings(at: place) }) })
    }
}

extension Series {
    fileprivate static let companions: [StaticString] = [":min", ":max", ":count"]

    /// The series of a thinned gauge's other values.
    func companion(_ suffix: StaticString) -> Series {
        Series(metric + suffix.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }, labels)
    }

    /// The gauge whose companion this is, by its name.
    var base: Series? {
        guard let colon = metric.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let suffix = metric.utf8[colon...]
        guard suffix.elementsEqual(":min".utf8) || suffix.elementsEqual(":max".utf8) || suffix.elementsEqual(":count".utf8) else { return nil }
        return String(metric.utf8[..<colon]).map { Series($0, labels) }
    }
}

extension Block {
    /// Samples in it; of a thinned block the means and the counters' last values, without the companions beside them.
    func sampleCount(isThinned: Bool) -> Int {
        guard isThinned else { return sampleCount }
        var places: [Series: Int] = [:]
        for (index, column) in columns.enumerated() { places[column.series] = index }
        return columns.reduce(0) { $1.isCompanion(among: places) ? $0 : $0 + $1.values.count }
    }
}

extension Block.Column {
    /// Whether its gauge is among these series of a thinned block.
    func isCompanion(among places: [Series: Int]) -> Bool { series.base.map { places[$0] != nil } ?? false }

    /// The value at each tick.
    func expanded(_ ticks: Int) -> [Double?] {
        var expanded = [Double?](repeating: nil, count: ticks)
        forEach { tick, value in expanded[tick] = value }
        return expanded
    }
}
