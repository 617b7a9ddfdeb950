/// The widths that samples are rolled up by as they are written.
package enum RollupLevel: Int64, Sendable, CaseIterable {
    case minute = 60_000
    /// What dashboards of days ask for: a fifth of the rows.
    case fiveMinutes = 300_000
    case hour = 3_600_000
    case day = 86_400_000

    var milliseconds: Int64 { rawValue }

    package var table: TimeTable {
        switch self {
        case .minute: .rollups1Minute
        case .fiveMinutes: .rollups5Minutes
        case .hour: .rollups1Hour
        case .day: .rollups1Day
        }
    }

    /// The view that has the names of device and metric.
    var view: String { table.name.replacing("rollups", with: "metrics") }

    /// When the bucket of a time, milliseconds since 1970, begins.
    func bucket(of time: Int64) -> Int64 { time - (time % rawValue + rawValue) % rawValue }
}

/// Samples of one series taken together. Means are merged rather than sums, which could pass what a double holds.
package struct Rollup: Equatable, Sendable {
    /// Beyond it a value counts as this much in a mean, and nearer to zero than this as zero: the server refuses what overflows or underflows.
    package static let meanMax = 1e290
    package static let meanMin = 1e-290

    package private(set) var count: Int64
    package private(set) var mean: Double
    package private(set) var minimum: Double
    package private(set) var maximum: Double
    package private(set) var last: Double
    /// When `last` was taken: UTC, milliseconds since 1970.
    package private(set) var lastAt: Int64
    package private(set) var firstAt: Int64
    /// Value times seconds, each value holding until the next, from the first to the last. Nil where samples came that lie between those taken
    /// together already: then only the samples themselves can tell.
    package private(set) var area: Double?

    package init(_ value: Double, at time: Int64) {
        count = 1
        mean = Self.bounded(value)
        minimum = value
        maximum = value
        last = value
        lastAt = time
        firstAt = time
        area = 0
    }

    package mutating func add(_ value: Double, at time: Int64) {
        count += 1
        mean += (Self.bounded(value) - mean) / Double(count)
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        area = time > lastAt ? area.map { $0 + Self.held(last, from: lastAt, to: time) } : nil
        firstAt = min(firstAt, time)
        if time >= lastAt { (last, lastAt) = (value, time) }
    }

    package mutating func merge(_ other: Rollup) {
        let total = Double(count + other.count)
        mean = mean * (Double(count) / total) + other.mean * (Double(other.count) / total)
        count += other.count
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        area = joined(other)
        firstAt = min(firstAt, other.firstAt)
        if other.lastAt >= lastAt { (last, lastAt) = (other.last, other.lastAt) }
    }

    /// The area of both when one lies before the other.
    private func joined(_ other: Rollup) -> Double? {
        guard let area, let others = other.area else { return nil }
        if lastAt < other.firstAt { return area + Self.held(last, from: lastAt, to: other.firstAt) + others }
        if other.lastAt < firstAt { return others + Self.held(other.last, from: other.lastAt, to: firstAt) + area }
        return nil
    }

    private static func held(_ value: Double, from: Int64, to: Int64) -> Double { bounded(value) * (Double(to - from) / 1000) }

    private static func bounded(_ value: Double) -> Double {
        abs(value) < meanMin ? 0 : min(max(value, -meanMax), meanMax)
    }
}
