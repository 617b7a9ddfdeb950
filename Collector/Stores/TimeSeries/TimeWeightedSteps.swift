/// Means over time of one series: a sample's value holds until the next sample, for a bounded time at most, and counts as long as it holds. Takes
/// samples, or minutes of them, by time. A value without a store: every make gives the same answer.
package struct TimeWeightedSteps: Sendable {
    /// Beyond it a value counts as this much in a mean, and nearer to zero than the other as zero.
    package static let valueMax = 1e290
    package static let valueMin = 1e-290
    /// How long a value may hold. No shorter than a minute, so that values hold throughout the minutes that are rolled up.
    package static let holdRange: ClosedRange<Int64> = 60_000...86_400_000

    /// One sample, or several of one step taken together.
    package struct Segment: Equatable, Sendable {
        package var firstAt, lastAt: Int64
        package var last: Double
        /// Value times seconds, from the first to the last.
        package var area: Double
        package var minimum, maximum: Double
        package var count: Int

        package init(firstAt: Int64, lastAt: Int64, last: Double, area: Double, minimum: Double, maximum: Double, count: Int) {
            (self.firstAt, self.lastAt, self.last, self.area) = (firstAt, lastAt, last, area)
            (self.minimum, self.maximum, self.count) = (minimum, maximum, count)
        }

        package init(_ value: Double, at time: Int64) {
            self.init(firstAt: time, lastAt: time, last: value, area: 0, minimum: value, maximum: value, count: 1)
        }
    }

    private struct Step {
        var area = 0.0
        var seconds = 0.0
        var minimum = Double.infinity
        var maximum = -Double.infinity
        var count = 0

        mutating func include(_ minimum: Double, _ maximum: Double) {
            self.minimum = min(self.minimum, minimum)
            self.maximum = max(self.maximum, maximum)
        }
    }

    private let query: RangeQuery
    private let holdMax: Int64
    private var steps: [Int64: Step] = [:]
    private var previous: (at: Int64, value: Double)?

    package init(_ query: RangeQuery, holdMax: Int64) {
        self.query = query
        self.holdMax = min(max(holdMax, Self.holdRange.lowerBound), Self.holdRange.upperBound)
    }

    /// When the first sample was taken that can reach into a range.
    package static func leadIn(_ query: RangeQuery, holdMax: Int64) -> Int64 { query.from.subtractingReportingOverflow(holdMax).partialValue }

    package var pointCount: Int { steps.count }

    package static func bounded(_ value: Double) -> Double { abs(value) < valueMin ? 0 : min(max(value, -valueMax), valueMax) }

    /// By time; of samples at one time the greatest comes last. A segment of several lies within the range and within one step.
    package mutating func add(_ segment: Segment) {
        if let previous { hold(previous.value, from: previous.at, to: min(segment.firstAt, previous.at + holdMax)) }
        previous = (segment.lastAt, segment.last)
        guard segment.firstAt >= query.from, segment.lastAt <= query.to else { return }
        var step = steps[query.step(of: segment.firstAt)] ?? Step()
        step.include(segment.minimum, segment.maximum)
        step.area += segment.area
        step.seconds += Double(segment.lastAt - segment.firstAt) / 1000
        step.count += segment.count
        steps[query.step(of: segment.firstAt)] = step
    }

    /// The steps that have something, by time, when all segments were added.
    package mutating func finish() -> [AggregatedPoint] {
        // The range's end is in it: a sample at the very end counts for its millisecond.
        if let previous { hold(previous.value, from: previous.at, to: min(query.to + 1, previous.at + holdMax)) }
        previous = nil
        return steps.sorted { $0.key < $1.key }.map { at, step in
            AggregatedPoint(
                at: at, minimum: step.minimum, maximum: step.maximum, meanOverTime: step.area / step.seconds, count: step.count)
        }
    }

    private mutating func hold(_ value: Double, from: Int64, to: Int64) {
        var at = max(from, query.from)
        // What is beyond the bound is not answered anyway.
        while at < to, steps.count <= query.pointsMax {
            let step = query.step(of: at)
            let end = min(to, step.addingReportingOverflow(query.step).overflow ? to : step + query.step)
            let seconds = Double(end - at) / 1000
            steps[step, default: Step()].include(value, value)
            steps[step]?.area += Self.bounded(value) * seconds
            steps[step]?.seconds += seconds
            at = end
        }
    }
}
