import LinuxDriver

/// How long to wait before the next attempt at a connection: full jitter over growing bounds, which only a connection that has lasted brings back,
/// so that neither a broker that drops everybody nor two clients of one name make a storm. A value; times are milliseconds on the boot clock.
package struct Reconnection: Sendable {
    /// How a connection, or an attempt at one, came to its end.
    package enum Ending: Sendable {
        /// It never stood, the link failed, or the broker said why.
        case lost
        /// The other side closed it without a word.
        case closed
        /// The broker said that another client has taken the session over.
        case takenOver
    }

    package static let delayBase: Int64 = 1_000
    package static let delayMax: Int64 = 60_000
    /// When another client takes the session over again and again, each of the two stays away for longer and longer.
    package static let takeoverDelayBase: Int64 = 15_000
    package static let takeoverDelayMax: Int64 = 600_000
    /// Where that is only likely they stay away for less: it may be the link after all.
    package static let likelyTakeoverDelayMax: Int64 = 120_000
    /// A connection that has stood for so long was a good one.
    package static let stableAfter: Int64 = 30_000
    /// And after so long the other client is taken to be gone.
    package static let undisturbedAfter: Int64 = 1_200_000
    /// Some brokers, mosquitto 2.0.11 for one, do not say that a session was taken over, they close. So many accepted connections in a row that
    /// were closed within `briefMax` are taken for that.
    package static let closingsMax = 3
    package static let briefMax: Int64 = 10_000

    private var backoff = Backoff(base: delayBase, cap: delayMax)
    private var takeoverBackoff = Backoff(base: takeoverDelayBase, cap: takeoverDelayMax)
    private var likelyBackoff = Backoff(base: takeoverDelayBase, cap: likelyTakeoverDelayMax)
    private var connectedAt: Int64?
    /// Accepted connections in a row that were closed without a word.
    private var closings = 0
    /// Since a connection last stood undisturbed.
    package private(set) var takeovers = 0

    package init() {}

    /// How often another client seems to have taken the session over, where the broker does not say so; since a connection last stood undisturbed or
    /// ended in another way.
    package var likelyTakeovers: Int { closings >= Self.closingsMax ? closings : 0 }

    package mutating func connected(now: Int64) { connectedAt = now }

    /// The connection, or an attempt at one, has ended; the delay before the next, in milliseconds.
    package mutating func ended(_ ending: Ending, now: Int64, random: UInt64) -> Int64 {
        let lasted = connectedAt.map { now - $0 }
        connectedAt = nil
        if lasted ?? 0 >= Self.stableAfter { backoff.reset() }
        if lasted ?? 0 >= Self.undisturbedAfter {
            takeoverBackoff.reset()
            takeovers = 0
        }
        count(ending, lasted)
        if ending == .takenOver {
            takeovers += 1
            return takeoverBackoff.next(random: random)
        }
        return likelyTakeovers > 0 ? likelyBackoff.next(random: random) : backoff.next(random: random)
    }

    /// Once it is likely, connections that last longer count as well, as the two stay away for longer.
    private mutating func count(_ ending: Ending, _ lasted: Int64?) {
        let bound = likelyTakeovers > 0 ? Self.undisturbedAfter : Self.briefMax
        if ending == .closed, let lasted, lasted < bound {
            closings += 1
        } else {
            closings = 0
            likelyBackoff.reset()
        }
    }
}
