/// The widths that samples are rolled up by as they are written.
package enum RollupLevel: Int64, Sendable, CaseIterable {
    case minute = 60_000
    case hour = 3_600_000
    case day = 86_400_000

    var milliseconds: Int64 { rawValue }

    var table: TimeTable {
        switch self {
        case .minute: .rollups1Minute
        case .hour: .rollups1Hour
        case .day: .rollups1Day
        }
    }

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

    package init(_ value: Double, at time: Int64) {
        count = 1
        mean = Self.bounded(value)
        minimum = value
        maximum = value
        last = value
        lastAt = time
    }

    package mutating func add(_ value: Double, at time: Int64) {
        count += 1
        mean += (Self.bounded(value) - mean) / Double(count)
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        if time >= lastAt { (last, lastAt) = (value, time) }
    }

    package mutating func merge(_ other: Rollup) {
        let total = Double(count + other.count)
        mean = mean * (Double(count) / total) + other.mean * (Double(other.count) / total)
        count += other.count
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        if other.lastAt >= lastAt { (last, lastAt) = (other.last, other.lastAt) }
    }

    private static func bounded(_ value: Double) -> Double {
        abs(value) < meanMin ? 0 : min(max(value, -meanMax), meanMax)
    }
}
