/// Columns being filled tick by tick.
struct ColumnBuilder {
    private struct Open {
        let series: Series
        var values: [Double] = []
        var ticks: [Int] = []
    }

    private let tickCount: Int
    private var open: [Open] = []
    /// Where each series' column is; nil for a series that the format cannot carry.
    private var indexOf: [Series: Int?] = [:]

    init(tickCount: Int) { self.tickCount = tickCount }

    mutating func add(_ readings: [Reading], at tick: Int) {
        for (position, reading) in readings.enumerated() {
            // Ticks of one machine list the same series in the same order nearly always, which spares the look-up.
            let isInPlace = position < open.count && open[position].series == reading.series
            guard let index = isInPlace ? position : index(of: reading.series), open[index].ticks.last != tick else { continue }
            open[index].ticks.append(tick)
            open[index].values.append(reading.value)
        }
    }

    private mutating func index(of series: Series) -> Int? {
        if let known = indexOf[series] { return known }
        let isEncodable = open.count < Block.columnsMax && SeriesKey.isEncodable(series)
        let index = isEncodable ? open.count : nil
        indexOf[series] = .some(index)
        if isEncodable { open.append(Open(series: series)) }
        return index
    }

    func columns() -> [Block.Column] {
        open.map { column in
            guard column.ticks.count < tickCount else { return Block.Column(series: column.series, presence: nil, values: column.values) }
            var presence = [Bool](repeating: false, count: tickCount)
            for tick in column.ticks { presence[tick] = true }
            return Block.Column(series: column.series, presence: presence, values: column.values)
        }
    }
}
