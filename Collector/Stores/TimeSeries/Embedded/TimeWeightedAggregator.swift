import Telemetry

/// Takes blocks in any order, and means over time of what is in them. It has to keep the samples, since blocks may lie within each other.
package struct TimeWeightedAggregator: BlockAggregator {
    /// Kept at once: 64 MB.
    package static let samplesMax = 4_000_000

    private struct Sample {
        let at: Int64
        let value: Double
    }

    private let query: RangeQuery
    private let holdMax: Int64
    private let from: Int64
    private var samples: [Series: [Sample]] = [:]
    private var sampleCount = 0
    private var pointCount = 0

    package init(_ query: RangeQuery, holdMax: Int64) {
        self.query = query
        self.holdMax = holdMax
        from = TimeWeightedSteps.leadIn(query, holdMax: holdMax)
    }

    package var excess: String? {
        if pointCount > query.pointsMax { return "more than \(query.pointsMax) points" }
        return sampleCount > Self.samplesMax ? "more than \(Self.samplesMax) samples to weigh by time" : nil
    }

    package mutating func add(_ block: Block) {
        for column in block.columns where query.metrics?.contains(column.series.metric) ?? true {
            // Taken out of the dictionary while it changes, so that it isn't copied.
            var known = samples.removeValue(forKey: column.series) ?? []
            let before = known.count
            column.forEach { tick, value in
                let at = block.timestamps[tick]
                if at >= from, at <= query.to, value.isFinite { known.append(Sample(at: at, value: value)) }
            }
            sampleCount += known.count - before
            if !known.isEmpty { samples[column.series] = known }
            if excess != nil { return }
        }
    }

    package mutating func result() -> [AggregatedSeries] {
        var found: [AggregatedSeries] = []
        for (series, unsorted) in samples {
            var steps = TimeWeightedSteps(query, holdMax: holdMax)
            for sample in unsorted.sorted(by: { ($0.at, $0.value) < ($1.at, $1.value) }) { steps.add(.init(sample.value, at: sample.at)) }
            let points = steps.finish()
            if !points.isEmpty { found.append(AggregatedSeries(series: series, points: points)) }
            pointCount += points.count
            if excess != nil { break }
        }
        return found.sorted { $0.series.description < $1.series.description }
    }
}
