import Telemetry

/// The sequences that may have left the device: what is in here keeps its sequence and its content. A few ranges, since a connected device
/// sends all it seals, and a backlog goes from the newest to the oldest; where they would be more, the smallest gap between two is filled:
/// a batch that is taken for sent by mistake is only not thinned.
struct SentMarks: Equatable, Sendable {
    static let rangesMax = 64

    private var marked = SequenceRanges()

    init() {}

    var ranges: [ClosedRange<Sequence64>] { marked.ranges }

    func contains(_ sequence: Sequence64) -> Bool { marked.contains(sequence) }

    /// The last sequence of the marked range around this one; nil where it is not marked.
    func end(ofRangeAround sequence: Sequence64) -> Sequence64? { ranges.first { $0.contains(sequence) }?.upperBound }

    /// How many sequences of a range are marked.
    func count(from first: Sequence64, through last: Sequence64) -> UInt64 { first <= last ? marked.count(in: first...last) : 0 }

    mutating func insert(_ added: ClosedRange<Sequence64>) {
        marked.insert(added)
        if ranges.count > Self.rangesMax { fillSmallestGap() }
    }

    private mutating func fillSmallestGap() {
        var smallest = 1
        for index in ranges.indices.dropFirst() where gap(before: index) < gap(before: smallest) { smallest = index }
        marked.insert(ranges[smallest - 1].upperBound...ranges[smallest].lowerBound)
    }

    private func gap(before index: Int) -> UInt64 { ranges[index].lowerBound - ranges[index - 1].upperBound }

    // MARK: In the file

    func write(to writer: inout ByteWriter) { marked.write(to: &writer) }

    init(from reader: inout ByteReader) throws(DecodingError) {
        marked = try SequenceRanges(from: &reader, "sent", rangesMax: Self.rangesMax, sequenceMax: BufferState.newestMax)
    }
}
