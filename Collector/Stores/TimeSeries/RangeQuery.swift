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

    package init(device: DeviceId, from: Int64, to: Int64, step: Int64, metrics: Set<String>? = nil, pointsMax: Int = pointsMaxDefault) {
        precondition(step >= 1 && from <= to, "a range has a positive step and does not end before it begins")
        self.device = device
        self.from = from
        self.to = to
        self.step = step
        self.metrics = metrics
        self.pointsMax = pointsMax
    }
}

/// The samples of one step, taken together.
package struct AggregatedPoint: Equatable, Sendable {
    /// The step's beginning: UTC, milliseconds since 1970.
    package let at: Int64
    package fileprivate(set) var minimum: Double
    package fileprivate(set) var maximum: Double
    package fileprivate(set) var count: Int
    fileprivate var sum: Double

    package var mean: Double { sum / Double(count) }

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

    /// Adds another part of the same step.
    package mutating func merge(_ other: AggregatedPoint) {
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        sum += other.sum
        count += other.count
    }

    fileprivate mutating func add(_ value: Double) {
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

/// Takes blocks in any order and gathers their samples by series and step. Memory grows with the points, never with the samples.
package struct RangeAggregator {
    private let query: RangeQuery
    private var steps: [Series: [Int64: AggregatedPoint]] = [:]
    package private(set) var pointCount = 0

    package init(_ query: RangeQuery) { self.query = query }

    /// Whether the answer has passed the query's bound; what follows would only make it larger.
    package var isOverBound: Bool { pointCount > query.pointsMax }

    package mutating func add(_ block: Block) {
        for column in block.columns where query.metrics?.contains(column.series.metric) ?? true {
            add(column, block.timestamps)
            if isOverBound { return }
        }
    }

    private mutating func add(_ column: Block.Column, _ timestamps: [Int64]) {
        // Taken out of the dictionary while it changes, so that it isn't copied.
        var points = steps.removeValue(forKey: column.series) ?? [:]
        let before = points.count
        column.forEach { tick, value in
            let at = timestamps[tick]
            guard at >= query.from, at <= query.to, value.isFinite else { return }
            let step = at - (at % query.step + query.step) % query.step
            if points[step]?.add(value) == nil { points[step] = AggregatedPoint(at: step, value: value) }
        }
        pointCount += points.count - before
        if !points.isEmpty { steps[column.series] = points }
    }

    /// The series by name, their points by time.
    package func result() -> [AggregatedSeries] {
        steps.map { AggregatedSeries(series: $0.key, points: $0.value.values.sorted { $0.at < $1.at }) }
            .sorted { $0.series.description < $1.series.description }
    }
}
