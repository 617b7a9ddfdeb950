import Telemetry

/// The account of one stream: which sequences are taken, in bounded space. Gaps that never close (batches that a device gave up for
/// lack of room) would add up over years; beyond the bound the lowest range is let go and `floor` rises over it. Below the floor nothing is
/// known, so nothing from there is accepted: it is refused aloud rather than lost or counted twice.
struct TakenSequences: Equatable {
    private(set) var floor: Sequence64
    private(set) var ranges: SequenceRanges
    private let rangesMax: Int

    init(floor: Sequence64 = 0, ranges: SequenceRanges = SequenceRanges(), rangesMax: Int = SequenceRanges.rangesMax) {
        self.floor = floor
        self.ranges = ranges
        self.rangesMax = rangesMax
    }

    mutating func take(_ sequence: Sequence64) -> CommitOutcome {
        guard sequence >= floor else { return .forgotten }
        guard ranges.insert(sequence) else { return .duplicate }
        while ranges.ranges.count > rangesMax { dropLowestRange() }
        return .committed
    }

    private mutating func dropLowestRange() {
        floor = ranges.ranges[0].upperBound + 1
        var kept = ByteWriter()
        kept.varint(UInt64(ranges.ranges.count - 1))
        var end: Sequence64 = 0
        for range in ranges.ranges.dropFirst() {
            kept.varint(range.lowerBound - end)
            kept.varint(range.upperBound - range.lowerBound)
            end = range.upperBound
        }
        // What was valid with a range more is valid without it.
        if let fewer = try? SequenceRanges(decoding: kept.bytes) { ranges = fewer }
    }
}
