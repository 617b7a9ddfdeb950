import ServiceSupport

/// When the server refreshes a continuous aggregate, how far back it looks for late rows, and how long the aggregate is kept. Values.
package struct AggregatePolicy: Equatable, Sendable {
    /// Buckets that ended later are not refreshed yet: devices still send their samples. Until then questions read the samples themselves.
    package let settled: Duration
    package let interval: Duration
    /// Changes of older buckets are not looked for; nil looks for all. Beyond the age at which its source is dropped, a refresh would find nothing there
    /// and drop the buckets, too.
    package let window: Duration?
    /// Older buckets are dropped; nil keeps them.
    package let kept: Duration?

    /// A window has to have room for two buckets at least, and these are of a day.
    private static let hoursKeptMin: Duration = .seconds(4 * 86_400)

    package init(_ aggregate: ContinuousAggregate, _ options: TimescaleOptions) {
        self.init(aggregate.level, options)
    }

    init(_ level: RollupLevel, _ options: TimescaleOptions) {
        let hoursKept = options.hoursKept.map { max($0, Self.hoursKeptMin) }
        switch level {
        case .minute, .fiveMinutes:
            (settled, interval) = (.seconds(600), .seconds(300))
            (window, kept) = (options.samplesKept, options.minutesKept)
        case .hour:
            (settled, interval) = (.seconds(3_600), .seconds(1_800))
            (window, kept) = (options.minutesKept, hoursKept)
        case .day:
            (settled, interval) = (.seconds(7_200), .seconds(3_600))
            (window, kept) = (hoursKept, nil)
        }
    }

    /// Whether a policy's window has to be changed. It is only ever made narrower: what was dropped while it was narrow would be lost in the aggregate,
    /// too, by a wider one.
    /// - Parameter current: of the policy that is there; nil looks for all.
    package func mustNarrow(_ current: Duration?) -> Bool {
        guard let window else { return false }
        return current.map { $0 > window } ?? true
    }
}
