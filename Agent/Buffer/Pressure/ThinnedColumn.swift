import Telemetry

/// One series of a block being thinned.
struct ThinnedColumn {
    /// What is known of one bucket, or of one value.
    struct Cell {
        private(set) var sum: Double
        private(set) var count: Double
        private(set) var least: Double
        private(set) var most: Double
        private(set) var last: Double
        private var lastAt: Int64

        init(_ value: Double, at: Int64, count: Double, least: Double, most: Double) {
            // A count from a file is what it should be, or 1.
            let count = count >= 1 && count.isFinite ? count : 1
            self.sum = value * count
            self.count = count
            self.least = least
            self.most = most
            last = value
            lastAt = at
        }

        /// A value that is no number counts for nothing beside one that is.
        mutating func add(_ other: Cell) {
            if other.lastAt >= lastAt {
                last = other.last
                lastAt = other.lastAt
            }
            if other.sum.isNaN { return }
            if sum.isNaN {
                (sum, count, least, most) = (other.sum, other.count, other.least, other.most)
                return
            }
            sum += other.sum
            count += other.count
            least = min(least, other.least)
            most = max(most, other.most)
        }
    }

    /// Digits after the point that are looked for, and that a mean is given more than its values have.
    private static let digitsMax = 12
    private static let digitsMore = 1
    private static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]
    /// Beyond 2⁵³ an integer is not exact as a Double.
    private static let integerMax = 9_007_199_254_740_992.0

    let series: Series
    /// By its name, as Prometheus has it: what only grows keeps its last value.
    let isCounter: Bool
    /// Buckets that have a value.
    private(set) var filled = 0
    private var cells: [Cell?] = []
    /// What all values so far are exact with; beyond `digitsMax` they are no decimals.
    private var digits = 0

    init(_ series: Series) {
        self.series = series
        isCounter = ["_total", "_count", "_sum", "_bucket"].contains { suffix in
            series.metric.utf8.count > suffix.utf8.count && series.metric.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        }
    }

    mutating func add(_ cell: Cell, at bucket: Int) {
        while digits <= Self.digitsMax, !Self.isExact(cell.last, digits) { digits += 1 }
        while cells.count <= bucket { cells.append(nil) }
        if cells[bucket] == nil {
            cells[bucket] = cell
            filled += 1
        } else {
            cells[bucket]?.add(cell)
        }
    }

    private static func isExact(_ value: Double, _ digits: Int) -> Bool {
        let scaled = (value * powers[digits]).rounded()
        // What is no number has no digits.
        return !value.isFinite || (scaled.magnitude < integerMax && scaled / powers[digits] == value)
    }

    func readings(at bucket: Int) -> [Reading] {
        guard bucket < cells.count, let cell = cells[bucket] else { return [] }
        if isCounter { return [Reading(series, cell.last)] }
        return [
            Reading(series, mean(of: cell)), Reading(series.companion(":count"), cell.count), Reading(series.companion(":max"), cell.most),
            Reading(series.companion(":min"), cell.least),
        ]
    }

    /// A digit more than the values have, and no seventeen: such numbers stay small integers in a column.
    private func mean(of cell: Cell) -> Double {
        if cell.least == cell.most { return cell.least }
        let mean = cell.sum / cell.count
        guard digits + Self.digitsMore <= Self.digitsMax, mean.isFinite else { return mean }
        let scaled = (mean * Self.powers[digits + Self.digitsMore]).rounded()
        return scaled.magnitude < Self.integerMax ? scaled / Self.powers[digits + Self.digitsMore] : mean
    }
}
