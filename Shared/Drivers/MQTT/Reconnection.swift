import LinuxDriver

/// How long to wait before the next attempt at a connection: full jitter over growing bounds, which only a connection that has lasted brings back,
/// so that neither a broker that drops everybody nor two clients of one name make a storm. A value; times are milliseconds on the boot clock.
package struct Reconnection: Sendable {
    package static let delayBase: Int64 = 1_000
    package static let delayMax: Int64 = 60_000
    /// When another client takes the session over again and again, each of the two stays away for longer and longer.
    package static let takeoverDelayBase: Int64 = 15_000
    package static let takeoverDelayMax: Int64 = 600_000
    /// A connection that has stood for so long was a good one.
    package static let stableAfter: Int64 = 30_000
    /// And after so long the other client is taken to be gone.
    package static let undisturbedAfter: Int64 = 1_200_000

    private var backoff = Backoff(base: delayBase, cap: delayMax)
    private var takeoverBackoff = Backoff(base: takeoverDelayBase, cap: takeoverDelayMax)
    private var connectedAt: Int64?
    /// Since a connection last stood undisturbed.
    package private(set) var takeovers = 0

    package init() {}

    package mutating func connected(now: Int64) { connectedAt = now }

    /// The connection, or an attempt at one, has ended; the delay before the next, in milliseconds.
    package mutating func ended(byTakeover isTakeover: Bool, now: Int64, random: UInt64) -> Int64 {
        let lasted = connectedAt.map { now - $0 } ?? 0
        connectedAt = nil
        if lasted >= Self.stableAfter { backoff.reset() }
        if lasted >= Self.undisturbedAfter {
            takeoverBackoff.reset()
            takeovers = 0
        }
        guard isTakeover else { return backoff.next(random: random) }
        takeovers += 1
        return takeoverBackoff.next(random: random)
    }
}
