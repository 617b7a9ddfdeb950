import Telemetry

/// The account of one stream, in bounded space: which sequences are closed, so that nothing more is expected of them. A sequence is closed when
/// its batch was taken, when the device has said that it will never come, or when it was refused. What was refused may still be taken, once:
/// that is what replaying it from quarantine does.
///
/// Gaps that never close would add up over years; beyond the bound the lowest range is let go and `floor` rises over it. Below the floor nothing is
/// known, so nothing from there is accepted: it is refused aloud rather than lost or counted twice.
package struct TakenSequences: Equatable, Sendable {
    /// Refused ranges of a stream that can still be taken. More than the quarantine holds: what falls out here has fallen out there.
    package static let refusedRangesMax = SequenceRanges.rangesMax

    package private(set) var floor: Sequence64
    package private(set) var closed: SequenceRanges
    /// Those of the closed ones that were refused and never taken.
    package private(set) var refused: SequenceRanges
    private let rangesMax: Int

    package init(
        floor: Sequence64 = 0, closed: SequenceRanges = SequenceRanges(), refused: SequenceRanges = SequenceRanges(),
        rangesMax: Int = SequenceRanges.rangesMax
    ) {
        self.floor = floor
        self.closed = closed
        self.refused = refused
        self.rangesMax = rangesMax
    }

    /// What would become of a batch that stands for these sequences.
    package func outcome(of range: ClosedRange<Sequence64>) -> CommitOutcome {
        guard range.lowerBound >= floor else { return .forgotten }
        let taken = closed.count(in: range) - refused.count(in: range)
        if taken == 0 { return .committed }
        return taken == range.upperBound - range.lowerBound + 1 ? .duplicate : .overlap
    }

    /// Takes the sequences if none of them is taken yet.
    package mutating func take(_ range: ClosedRange<Sequence64>) -> CommitOutcome {
        let outcome = outcome(of: range)
        if outcome == .committed {
            refused.remove(range)
            // One that was refused with its neighbours leaves two ranges in the place of one.
            trimRefused()
            close(range)
        }
        return outcome
    }

    package mutating func take(_ sequence: Sequence64) -> CommitOutcome { take(sequence...sequence) }

    /// Nothing more is expected of these: they are taken, or the device has given them up.
    package mutating func close(_ range: ClosedRange<Sequence64>) {
        guard range.upperBound >= floor else { return }
        closed.insert(max(range.lowerBound, floor)...range.upperBound)
        while closed.ranges.count > rangesMax, let lowest = closed.ranges.first {
            floor = lowest.upperBound + 1
            closed.remove(lowest)
            refused.remove(0...lowest.upperBound)
        }
    }

    /// These were refused together. What of them is not closed yet may still be taken; what is taken, or given up by the device, stays so. When that is
    /// a part of them, the batch is told as an overlap however often it is played again, never as a duplicate: the rest of it is not stored.
    package mutating func refuse(_ range: ClosedRange<Sequence64>) {
        guard range.upperBound >= floor else { return }
        for open in closed.gaps(in: max(range.lowerBound, floor)...range.upperBound) { refused.insert(open) }
        trimRefused()
        close(range)
    }

    private mutating func trimRefused() {
        while refused.ranges.count > Self.refusedRangesMax, let lowest = refused.ranges.first { refused.remove(lowest) }
    }
}
