/// Decides, while an answer is waited for, when the server is asked to cancel and when the connection is given up. A value without a clock.
package struct AnswerWatch: Equatable, Sendable {
    /// Why the server was asked to cancel.
    package enum Cause: Sendable {
        case interrupt
        case timeout
    }

    package enum Step: Equatable, Sendable {
        /// Wait so many milliseconds at most; -1 is without end.
        case wait(milliseconds: Int32)
        case cancel(Cause)
        case giveUp
    }

    /// The work is to be cancelled then; nil is never. Milliseconds of the caller's clock.
    package private(set) var deadline: Int64?
    /// How long an answer is waited for that was cancelled because it was late.
    package let graceMilliseconds: Int64
    /// The same of one that nobody wants any more.
    package let interruptGraceMilliseconds: Int64
    /// False for what must not be cancelled half way, as COMMIT: its connection is given up when it is time to.
    package let mayCancel: Bool
    /// Why the server was asked to cancel, once it was.
    package private(set) var cause: Cause?
    private var givesUpAt: Int64?

    /// - Parameter interruptGraceMilliseconds: as `graceMilliseconds` when it is not given.
    package init(deadline: Int64?, graceMilliseconds: Int64, interruptGraceMilliseconds: Int64? = nil, mayCancel: Bool = true) {
        self.deadline = deadline
        self.graceMilliseconds = graceMilliseconds
        self.interruptGraceMilliseconds = min(interruptGraceMilliseconds ?? graceMilliseconds, graceMilliseconds)
        self.mayCancel = mayCancel
    }

    /// Something was finished: what comes next has a time of its own. Nothing that was cancelled gets more.
    package mutating func renew(deadline: Int64?) {
        if cause == nil { self.deadline = deadline }
    }

    package mutating func next(at now: Int64, isInterrupted: Bool) -> Step {
        if let until = givesUpAt {
            let givesUpAt = isInterrupted && cause == .timeout ? min(until, now + interruptGraceMilliseconds) : until
            self.givesUpAt = givesUpAt
            return now >= givesUpAt ? .giveUp : Self.wait(until: givesUpAt, at: now)
        }
        let isLate = deadline.map { now >= $0 } ?? false
        guard isInterrupted || isLate else { return deadline.map { Self.wait(until: $0, at: now) } ?? .wait(milliseconds: -1) }
        let reason: Cause = isInterrupted ? .interrupt : .timeout
        cause = reason
        let grace = isInterrupted ? interruptGraceMilliseconds : graceMilliseconds
        givesUpAt = now + grace
        return mayCancel ? .cancel(reason) : Self.wait(until: now + grace, at: now)
    }

    /// How long the server may take to take a request to cancel.
    package var cancelMilliseconds: Int64 { cause == .interrupt ? interruptGraceMilliseconds : graceMilliseconds }

    private static func wait(until: Int64, at now: Int64) -> Step { .wait(milliseconds: Int32(clamping: max(1, until - now))) }
}
