import Telemetry

/// The sequences that may have left the device: what is in here keeps its sequence and its content. A few ranges, since a connected device
/// sends all it seals, and a backlog goes from the newest to the oldest; where they would be more, the smallest gap between two is filled:
/// a batch that is taken for sent by mistake is only not thinned.
struct SentMarks: Equatable, Sendable {
    static let rangesMax = 64

    /// Sorted, disjoint, not touching.
    private(set) var ranges: [ClosedRange<Sequence64>] = []

    init() {}

    func contains(_ sequence: Sequence64) -> Bool { end(ofRangeAround: sequence) != nil }

    /// The last sequence of the marked range around this one; nil where it is not marked.
    func end(ofRangeAround sequence: Sequence64) -> Sequence64? {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(sequence) ? ranges[low].upperBound : nil
    }

    /// How many sequences of a range are marked.
    func count(from first: Sequence64, through last: Sequence64) -> UInt64 {
        ranges.reduce(0) { sum, range in
            let (lower, upper) = (max(first, range.lowerBound), min(last, range.upperBound))
            return lower <= upper ? sum + (upper - lower + 1) : sum
        }
    }

    mutating func insert(_ added: ClosedRange<Sequence64>) {
        var lower = added.lowerBound
        var upper = added.upperBound
        var kept: [ClosedRange<Sequence64>] = []
        for range in ranges {
            if range.upperBound &+ 1 < lower || range.lowerBound > upper &+ 1 {
                kept.append(range)
            } else {
                lower = min(lower, range.lowerBound)
                upper = max(upper, range.upperBound)
            }
        }
        let place = kept.firstIndex { $0.lowerBound > upper } ?? kept.count
        kept.insert(lower...upper, at: place)
        ranges = kept
        if ranges.count > Self.rangesMax { fillSmallestGap() }
    }

    private mutating func fillSmallestGap() {
        var smallest = 1
        for index in ranges.indices.dropFirst() where gap(before: index) < gap(before: smallest) { smallest = index }
        ranges[smallest - 1] = ranges[smallest - 1].lowerBound...ranges[smallest].upperBound
        ranges.remove(at: smallest)
    }

    private func gap(before index: Int) -> UInt64 { ranges[index].lowerBound - ranges[index - 1].upperBound }

    // MARK: As bytes: a count, then for each range the distance from the last one's end and its length, all varints.

    func write(to writer: inout ByteWriter) {
        writer.varint(UInt64(ranges.count))
        var end: Sequence64 = 0
        for range in ranges {
            writer.varint(range.lowerBound - end)
            writer.varint(range.upperBound - range.lowerBound)
            end = range.upperBound
        }
    }

    init(from reader: inout ByteReader) throws(DecodingError) {
        var end: Sequence64 = 0
        for index in 0..<(try reader.count("sent.ranges", max: Self.rangesMax)) {
            let (lower, overflowed) = end.addingReportingOverflow(try reader.varint("sent.first"))
            let (upper, overflowedToo) = lower.addingReportingOverflow(try reader.varint("sent.length"))
            guard !overflowed, !overflowedToo, index == 0 || lower > end &+ 1 else { throw DecodingError(.badNumber, "sent") }
            ranges.append(lower...upper)
            end = upper
        }
    }
}
