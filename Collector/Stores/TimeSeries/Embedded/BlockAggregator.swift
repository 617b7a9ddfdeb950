import Telemetry

/// What gathers a range's samples out of blocks.
package protocol BlockAggregator {
    /// What of it has passed a bound; what follows would only make it larger.
    var excess: String? { get }

    /// Blocks come in any order.
    mutating func add(_ block: Block)

    /// The series by name, their points by time.
    mutating func result() -> [AggregatedSeries]
}

/// Takes blocks in any order and gathers their samples by series and step. Memory grows with the points, never with the samples.
package struct RangeAggregator: BlockAggregator {
    private let query: RangeQuery
    private var steps: [Series: [Int64: AggregatedPoint]] = [:]
    package private(set) var pointCount = 0

    package init(_ query: RangeQuery) { self.query = query }

    package var excess: String? { pointCount > query.pointsMax ? "more than \(query.pointsMax) points" : nil }

    package mutating func add(_ block: Block) {
        for column in block.columns where query.metrics?.contains(column.series.metric) ?? true {
            add(column, block.timestamps)
            if excess != nil { return }
        }
    }

    private mutating func add(_ column: Block.Column, _ timestamps: [Int64]) {
        // Taken out of the dictionary while it changes, so that it isn't copied.
        var points = steps.removeValue(forKey: column.series) ?? [:]
        let before = points.count
        column.forEach { tick, value in
            let at = timestamps[tick]
            guard at >= query.from, at <= query.to, value.isFinite else { return }
            let step = query.step(of: at)
            if points[step]?.add(value) == nil { points[step] = AggregatedPoint(at: step, value: value) }
        }
        pointCount += points.count - before
        if !points.isEmpty { steps[column.series] = points }
    }

    package func result() -> [AggregatedSeries] {
        steps.map { AggregatedSeries(series: $0.key, points: $0.value.values.sorted { $0.at < $1.at }) }
            .sorted { $0.series.description < $1.series.description }
    }
}
