import PostgresDriver
import ServiceSupport
import Testing
import TimescaleStores

/// When aggregates are refreshed, and how far back.
struct AggregatePolicyTests {
    private static let day: Duration = .seconds(86_400)

    private func policy(_ name: String, _ change: (inout TimescaleOptions) -> Void) throws -> AggregatePolicy {
        var options = TimescaleOptions(try PostgresOptions("host=127.0.0.1"))
        change(&options)
        return AggregatePolicy(try #require(ContinuousAggregate.all.first { $0.name == name }), options)
    }

    @Test func `a refresh looks no further back than what it reads is kept, and everywhere where all is kept`() throws {
        for aggregate in ContinuousAggregate.all { #expect(try policy(aggregate.name) { _ in }.window == nil) }
        #expect(try policy("metric_samples_1m") { $0.samplesKept = Self.day * 30 }.window == Self.day * 30)
        #expect(try policy("device_metrics_1h") { $0.minutesKept = Self.day * 90 }.window == Self.day * 90)
        #expect(try policy("device_metrics_1d") { $0.hoursKept = Self.day * 400 }.window == Self.day * 400)
    }

    @Test func `hours are kept for as many days as those by the day are made of at least`() throws {
        let (hours, days) = (try policy("metric_samples_1h") { $0.hoursKept = Self.day }, try policy("metric_samples_1d") { $0.hoursKept = Self.day })
        #expect(hours.kept == days.window && days.window == Self.day * 4)
    }

    @Test(
        arguments: [(nil, nil, false), (nil, 30, false), (30, nil, true), (30, 40, true), (30, 30, false), (30, 20, false)] as [(Int?, Int?, Bool)])
    func `a window is made narrower, never wider`(wanted: Int?, current: Int?, expected: Bool) throws {
        let policy = try policy("metric_samples_1m") { $0.samplesKept = wanted.map { Self.day * $0 } }
        #expect(policy.mustNarrow(current.map { Self.day * $0 }) == expected)
    }
}
