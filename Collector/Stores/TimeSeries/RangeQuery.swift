import Telemetry

/// Which samples of a device are asked for, and how finely.
package struct RangeQuery: Sendable {
    /// Points of all series of an answer.
    package static let pointsMaxDefault = 500_000

    package let device: DeviceId
    /// Both inclusive: UTC, milliseconds since 1970.
    package let from: Int64
    package let to: Int64
    /// Milliseconds, at least 1. Steps lie on multiples of it since 1970, so that neighbouring questions agree.
    package let step: Int64
    /// Metric names; nil means all.
    package let metrics: Set<String>?
    package let pointsMax: Int
    package let weighting: Weighting

    /// What a mean is of.
    package enum Weighting: Equatable, Sendable {
        /// Of samples: each counts once.
        case samples
        /// Of time: a sample's value holds until the next one of its series, for `holdMax` milliseconds at most.
        case time(holdMax: Int64)
    }

    package init(
        device: DeviceId, from: Int64, to: Int64, step: Int64, metrics: Set<String>? = nil, pointsMax: Int = pointsMaxDefault,
        weighting: Weighting = .samples
    ) {
        precondition(step >= 1 && from <= to, "a range has a positive step and does not end before it begins")
        self.device = device
        self.from = from
        self.to = to
        self.step = step
        self.metrics = metrics
        self.pointsMax = pointsMax
        self.weighting = weighting
    }

    /// When the step of a time begins.
    package func step(of time: Int64) -> Int64 { time - (time % step + step) % step }
}

/// The samples of one step, taken together.
package struct AggregatedPoint: Equatable, Sendable {
    /// The step's beginning: UTC, milliseconds since 1970.
    package let at: Int64
    package private(set) var minimum: Double
    package private(set) var maximum: Double
    package private(set) var count: Int
    private var sum: Double
    /// Nil where every sample counts once.
    private var meanOverTime: Double?

    package var mean: Double { meanOverTime ?? sum / Double(count) }

    package init(at: Int64, value: Double) {
        self.at = at
        minimum = value
        maximum = value
        sum = value
        count = 1
    }

    /// Samples that were taken together elsewhere.
    package init(at: Int64, minimum: Double, maximum: Double, mean: Double, count: Int) {
        self.at = at
        self.minimum = minimum
        self.maximum = maximum
        sum = mean * Double(count)
        self.count = count
    }

    /// A mean over time. There may be no samples: a value from before holds.
    package init(at: Int64, minimum: Double, maximum: Double, meanOverTime: Double, count: Int) {
        self.at = at
        self.minimum = minimum
        self.maximum = maximum
        sum = 0
        self.meanOverTime = meanOverTime
        self.count = count
    }

    /// Adds another part of the same step.
    package mutating func merge(_ other: AggregatedPoint) {
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        sum += other.sum
        count += other.count
    }

    mutating func add(_ value: Double) {
        minimum = min(minimum, value)
        maximum = max(maximum, value)
        sum += value
        count += 1
    }
}

/// One series of an answer; steps without samples have no point.
package struct AggregatedSeries: Equatable, Sendable {
    package let series: Series
    package let points: [AggregatedPoint]

    package init(series: Series, points: [AggregatedPoint]) {
        self.series = series
        self.points = points
    }
}
