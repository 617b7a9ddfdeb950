import CollectorFixtures
import Telemetry
import Testing
import TimeSeriesStores
import TimescaleStores

/// What the PostgreSQL make decides without a server.
@Suite struct TimescalePlanTests {
    private static let minute: Int64 = 60_000
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 86_400_000

    private func piece(_ level: RollupLevel?, _ times: ClosedRange<Int64>) -> RangePlan.Piece { RangePlan.Piece(level: level, times: times) }

    @Test func `a step that no bucket falls into is read from the samples`() {
        #expect(RangePlan(from: 0, to: 100 * Self.day, step: 1_000).pieces == [piece(nil, 0...100 * Self.day)])
        #expect(RangePlan(from: 0, to: 100 * Self.day, step: 90_000).pieces == [piece(nil, 0...100 * Self.day)])
    }

    @Test func `whole buckets come from the roll-up, edges from what is finer`() {
        #expect(
            RangePlan(from: 5, to: 3 * Self.minute + 7, step: 5 * Self.minute).pieces == [
                piece(nil, 5...Self.minute - 1), piece(.minute, Self.minute...3 * Self.minute - 1),
                piece(nil, 3 * Self.minute...3 * Self.minute + 7),
            ])
        #expect(RangePlan(from: 0, to: Self.minute - 1, step: Self.minute).pieces == [piece(.minute, 0...Self.minute - 1)])
        #expect(RangePlan(from: 0, to: Self.minute - 2, step: Self.minute).pieces == [piece(nil, 0...Self.minute - 2)])
        let long = RangePlan(from: Self.hour + 1, to: 3 * Self.day, step: 7 * Self.day).pieces
        #expect(
            long == [
                piece(nil, Self.hour + 1...Self.hour + Self.minute - 1), piece(.minute, Self.hour + Self.minute...Self.hour + 5 * Self.minute - 1),
                piece(.fiveMinutes, Self.hour + 5 * Self.minute...2 * Self.hour - 1),
                piece(.hour, 2 * Self.hour...Self.day - 1), piece(.day, Self.day...3 * Self.day - 1), piece(nil, 3 * Self.day...3 * Self.day),
            ])
    }

    @Test(arguments: 0..<50) func `the pieces of a range are all of it, without overlap`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let from = Int64.random(in: -3 * Self.day...3 * Self.day, using: &random)
        let to = from + Int64.random(in: 0...9 * Self.day, using: &random)
        let steps: [Int64] = [1_000, Self.minute, 7 * Self.minute, Self.hour, 6 * Self.hour, Self.day]
        let step = steps.randomElement(using: &random) ?? 1
        var next = from
        for piece in RangePlan(from: from, to: to, step: step).pieces {
            #expect(piece.times.lowerBound == next)
            next = piece.times.upperBound + 1
            if let level = piece.level {
                #expect(step % level.rawValue == 0 && piece.times.lowerBound % level.rawValue == 0 && next % level.rawValue == 0)
            }
        }
        #expect(next == to + 1)
    }

    @Test func `samples taken together twice are as if taken together once, late ones too`() {
        let values = (0..<100).map { Double($0 * 37 % 101) / 7 }
        var whole = Rollup(values[0], at: 0)
        for index in 1..<100 { whole.add(values[index], at: Int64(index)) }
        var late = Rollup(values[60], at: 60)
        for index in 61..<100 { late.add(values[index], at: Int64(index)) }
        var early = Rollup(values[0], at: 0)
        for index in 1..<60 { early.add(values[index], at: Int64(index)) }
        late.merge(early)
        #expect(late.count == whole.count && late.minimum == whole.minimum && late.maximum == whole.maximum)
        #expect(late.last == values[99] && late.lastAt == 99)
        #expect(abs(late.mean - whole.mean) < 1e-12)
    }

    @Test func `means of what a double hardly holds do not overflow`() {
        var rollup = Rollup(.greatestFiniteMagnitude, at: 0)
        rollup.add(.greatestFiniteMagnitude, at: 1)
        rollup.add(.leastNonzeroMagnitude, at: 2)
        rollup.merge(rollup)
        #expect(rollup.mean.isFinite && rollup.maximum == .greatestFiniteMagnitude && rollup.minimum == .leastNonzeroMagnitude && rollup.count == 6)
    }

    @Test func `a newer schema is told apart from one that lacks something`() {
        #expect(Migration.missing(after: [])?.map { $0.version } == Migration.all.map { $0.version })
        #expect(Migration.missing(after: Set(Migration.all.map { $0.version }))?.isEmpty == true)
        #expect(Migration.missing(after: [Migration.newest + 1]) == nil)
        #expect(Set(Migration.all.map { $0.version }).count == Migration.all.count)
    }
}
