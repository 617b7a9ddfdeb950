import CollectorFixtures
import Testing
import TimeSeriesStores

/// Means over time as a value, beside a slow and plain way to the same.
@Suite struct TimeWeightedStepsTests {
    private let device = SampleBatches.device()

    /// Looks at every millisecond.
    private func plainly(_ samples: [(at: Int64, value: Double)], _ query: RangeQuery, holdMax: Int64) -> [Int64: Double] {
        var sums: [Int64: (sum: Double, count: Int)] = [:]
        for time in query.from...query.to {
            guard let sample = samples.last(where: { $0.at <= time }), time < sample.at + holdMax else { continue }
            sums[query.step(of: time), default: (0, 0)].sum += sample.value
            sums[query.step(of: time)]?.count += 1
        }
        return sums.mapValues { $0.sum / Double($0.count) }
    }

    @Test(arguments: 0..<20) func `a value counts for every millisecond that it holds`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let unsorted: [(at: Int64, value: Double)] = (0..<Int.random(in: 1...12, using: &random)).map { _ in
            (at: Int64.random(in: -70_000...10_000, using: &random), value: Double.random(in: -5...5, using: &random))
        }
        let samples = unsorted.sorted { ($0.at, $0.value) < ($1.at, $1.value) }
        let steps: [Int64] = [1, 7, 1_000, 60_000]
        let width = steps.randomElement(using: &random) ?? 1
        let query = RangeQuery(
            device: device, from: Int64.random(in: -100...5_000, using: &random), to: 5_000 + Int64.random(in: 0...9_000, using: &random), step: width
        )
        var weighted = TimeWeightedSteps(query, holdMax: 60_000)
        for sample in samples where sample.at <= query.to { weighted.add(.init(sample.value, at: sample.at)) }
        let points = weighted.finish()
        let expected = plainly(samples, query, holdMax: 60_000)
        #expect(Set(points.map { $0.at }) == Set(expected.keys))
        for point in points { #expect(abs(point.mean - (expected[point.at] ?? .nan)) < 1e-6) }
    }

    @Test func `values beyond all measure stay finite, and so does their mean`() {
        let query = RangeQuery(device: device, from: 0, to: 999_999, step: 1_000_000)
        var steps = TimeWeightedSteps(query, holdMax: 1_000_000)
        for (index, value) in [Double.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1].enumerated() {
            steps.add(.init(value, at: Int64(index) * 250_000))
        }
        #expect(steps.finish().allSatisfy { $0.mean.isFinite && $0.maximum == .greatestFiniteMagnitude })
    }

    @Test func `a hold over more steps than may be answered ends soon`() {
        let query = RangeQuery(device: device, from: 0, to: 80_000_000, step: 1, pointsMax: 1_000)
        var steps = TimeWeightedSteps(query, holdMax: 86_400_000)
        steps.add(.init(1, at: 0))
        #expect(steps.finish().count == 1_001)
    }
}
