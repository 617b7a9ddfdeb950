/// When something was admitted, within the last window. A value without a clock.
struct SlidingWindow: Equatable, Sendable {
    /// Rising; as many as a `RateLimit` admits.
    private(set) var times: [ContinuousClock.Instant] = []

    mutating func admit(_ limit: RateLimit, at now: ContinuousClock.Instant) -> Admission {
        times.removeAll { $0 <= now.advanced(by: .zero - limit.window) }
        guard times.count < limit.count else {
            return Admission(isAdmitted: false, remaining: 0, retryAfter: max(.milliseconds(1), times[0].advanced(by: limit.window) - now))
        }
        times.append(now)
        return Admission(isAdmitted: true, remaining: limit.count - times.count, retryAfter: .zero)
    }
}
