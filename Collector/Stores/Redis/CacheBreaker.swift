/// Decides when a server that fails or is slow is left alone, and when it is tried again. A value without a clock: times are milliseconds that never
/// step.
package struct CacheBreaker: Equatable, Sendable {
    package enum State: String, Sendable {
        /// Everybody may ask.
        case closed
        /// Nobody asks.
        case open
        /// One alone asks, to find out.
        case halfOpen = "half_open"
    }

    /// Failures in a row after which nobody asks any more.
    package static let failuresMax = 3
    /// How long nobody asks: first, and at most; each time that it was in vain twice as long.
    package static let openFirst: Int64 = 1_000
    package static let openMax: Int64 = 30_000

    package private(set) var state = State.closed
    /// How often it has opened.
    package private(set) var opened = 0
    private var failures = 0
    private var openFor = openFirst
    private var openUntil: Int64 = 0

    package init() {}

    package var isClosed: Bool { state == .closed }

    /// An answer came in time.
    package mutating func succeeded() {
        if state == .closed { failures = 0 }
    }

    /// No answer came, or too late to be of use.
    package mutating func failed(at now: Int64) {
        guard state == .closed else { return }
        failures += 1
        if failures >= Self.failuresMax { open(at: now) }
    }

    /// Whether whoever asks is the one that is to find out.
    package mutating func beginProbe(at now: Int64) -> Bool {
        guard state == .open, now >= openUntil else { return false }
        state = .halfOpen
        return true
    }

    package mutating func endProbe(isWell: Bool, at now: Int64) {
        guard state == .halfOpen else { return }
        if isWell {
            self = CacheBreaker(opened: opened)
        } else {
            openFor = min(Self.openMax, openFor * 2)
            state = .open
            openUntil = now + openFor
        }
    }

    private init(opened: Int) { self.opened = opened }

    private mutating func open(at now: Int64) {
        state = .open
        opened += 1
        openFor = Self.openFirst
        openUntil = now + openFor
    }
}
