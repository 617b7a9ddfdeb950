import ServiceSupport

/// Decides which failures of stores the log tells: what many requests meet is one line a minute. A value without a clock: times are milliseconds that
/// never step.
package struct FailurePace: Sendable {
    /// Failures of one kind are told no more often.
    package static let interval: Int64 = 60_000

    private struct Told: Sendable {
        let at: Int64
        var untold = 0
    }

    /// As many as there are reasons.
    private var told: [StoreError.Reason: Told] = [:]

    package init() {}

    /// How many of the kind were not told since one was; nil when this one is not told either.
    package mutating func failed(_ reason: StoreError.Reason, at now: Int64) -> Int? {
        if var last = told[reason], now - last.at < Self.interval {
            last.untold += 1
            told[reason] = last
            return nil
        }
        defer { told[reason] = Told(at: now) }
        return told[reason]?.untold ?? 0
    }
}
