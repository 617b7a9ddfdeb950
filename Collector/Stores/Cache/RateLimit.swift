/// So many within a window that moves with time.
package struct RateLimit: Equatable, Sendable {
    package static let countMax = 1_000
    package static let windowMax: Duration = .seconds(3_600)

    package let count: Int
    package let window: Duration

    /// - Parameter count: at least 1; each that is admitted is remembered for the window.
    package init(_ count: Int, within window: Duration) {
        precondition((1...Self.countMax).contains(count) && window >= .milliseconds(1) && window <= Self.windowMax, "a limit has its bounds")
        self.count = count
        self.window = window
    }

    package var windowMilliseconds: Int64 { window.components.seconds * 1_000 + window.components.attoseconds / 1_000_000_000_000_000 }
}

/// Whether something was within its limit.
package struct Admission: Equatable, Sendable {
    package let isAdmitted: Bool
    /// How many more would be now.
    package let remaining: Int
    /// When one more will be, for what was not.
    package let retryAfter: Duration

    package init(isAdmitted: Bool, remaining: Int, retryAfter: Duration) {
        self.isAdmitted = isAdmitted
        self.remaining = remaining
        self.retryAfter = retryAfter
    }
}
