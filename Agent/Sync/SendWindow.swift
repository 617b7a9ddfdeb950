/// How many bytes of backlog may be on their way at once. It grows while acknowledgements come back as fast as they can and shrinks when they
/// take longer, so that a long fat link is filled and a thin one is not: what lies in a link's queues is what a live batch waits behind.
/// The idea is delay-based congestion control (Vegas: Brakmo and Peterson, 1995; LEDBAT: RFC 6817). A value without a clock.
package struct SendWindow: Equatable, Sendable {
    /// What it begins with: little, so that the first round trip that is measured is the link's own.
    package static let bytesFirst = 16 * 1024
    package static let bytesLeast = 8 * 1024
    /// What is added in a round trip once the link's measure is known.
    package static let bytesStep = 16 * 1024
    /// How much longer than the shortest round trip an acknowledgement may take because of what we sent ourselves, in milliseconds.
    package static let queueingMax: Int64 = 500
    /// For how long a shortest round trip is believed, in milliseconds: routes and loads change.
    package static let shortestValidity: Int64 = 120_000

    package let bytesMax: Int
    package private(set) var bytes: Int
    /// Below this it doubles in a round trip.
    private var threshold: Int
    /// The shortest round trip of this span of `shortestValidity` and of the one before it, in milliseconds.
    private var shortest: Int64?
    private var shortestBefore: Int64?
    private var spanEnds: Int64 = 0
    /// Within one round trip of a cut the same congestion shows again and again; it counts once.
    private var nextCut: Int64 = 0

    package init(bytesMax: Int) {
        self.bytesMax = max(bytesMax, Self.bytesLeast)
        bytes = min(Self.bytesFirst, self.bytesMax)
        threshold = self.bytesMax
    }

    /// The shortest round trip known, in milliseconds.
    package var shortestRoundTrip: Int64? {
        guard let shortest, let shortestBefore else { return shortest ?? shortestBefore }
        return min(shortest, shortestBefore)
    }

    /// A batch was acknowledged `roundTrip` milliseconds after it went. `wasLimiting`: the window was what held back more.
    package mutating func acknowledged(bytes acknowledged: Int, roundTrip: Int64, wasLimiting: Bool, now: Int64) {
        note(roundTrip, now)
        let excess = roundTrip - (shortestRoundTrip ?? roundTrip)
        if excess > Self.queueingMax {
            // In proportion to how far it is beyond the bound, and never by more than half.
            let bound = roundTrip - excess + Self.queueingMax
            cut(to: max(bytes / 2, Int(Int64(bytes) * bound / roundTrip)), roundTrip: roundTrip, now: now)
        } else if wasLimiting, excess <= Self.queueingMax / 2 {
            let grown = bytes < threshold ? acknowledged : max(1, acknowledged * Self.bytesStep / bytes)
            bytes = min(bytesMax, bytes + grown)
        }
    }

    /// A single batch was lost on its way.
    package mutating func lost(now: Int64) { cut(to: bytes / 2, roundTrip: shortestRoundTrip ?? Self.queueingMax, now: now) }

    /// A new connection is up: what was known of the link may be wrong.
    package mutating func connected() { self = SendWindow(bytesMax: bytesMax) }

    /// Nothing is answered any more: it begins again, and doubles only up to half of where it was.
    package mutating func fellSilent() {
        let reached = bytes
        self = SendWindow(bytesMax: bytesMax)
        threshold = max(Self.bytesLeast, reached / 2)
    }

    private mutating func cut(to less: Int, roundTrip: Int64, now: Int64) {
        guard now >= nextCut else { return }
        bytes = max(Self.bytesLeast, min(bytes, less))
        threshold = bytes
        nextCut = now + roundTrip
    }

    private mutating func note(_ roundTrip: Int64, _ now: Int64) {
        if now >= spanEnds {
            shortestBefore = shortest
            shortest = nil
            spanEnds = now + Self.shortestValidity
        }
        shortest = min(shortest ?? roundTrip, roundTrip)
    }
}
