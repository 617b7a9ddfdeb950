/// A set of sequences as sorted, disjoint, non-touching ranges: one range for a device without gaps, whatever its age.
package struct SequenceRanges: Equatable, Sendable {
    /// Ranges beyond which a stream is not believed to be a device's: 4,096 gaps are 4,096 batches on their way.
    package static let rangesMax = 4_096

    package private(set) var ranges: [ClosedRange<Sequence64>] = []

    package init() {}

    package func contains(_ sequence: Sequence64) -> Bool {
        let index = firstIndex(endingAtOrAfter: sequence)
        return index < ranges.count && ranges[index].contains(sequence)
    }

    /// How many sequences there are in all.
    package var count: UInt64 { ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) } }

    /// Adds a sequence; false when it was there already.
    @discardableResult
    package mutating func insert(_ sequence: Sequence64) -> Bool {
        // The first range that ends at `sequence - 1` or later is the only one that it can join from the left.
        let index = firstIndex(endingAtOrAfter: sequence == 0 ? 0 : sequence - 1)
        guard index < ranges.count else {
            ranges.append(sequence...sequence)
            return true
        }
        let range = ranges[index]
        if range.contains(sequence) { return false }
        if range.upperBound &+ 1 == sequence {
            let next = index + 1
            if next < ranges.count, ranges[next].lowerBound == sequence &+ 1 {
                ranges[index] = range.lowerBound...ranges[next].upperBound
                ranges.remove(at: next)
            } else if next < ranges.count, ranges[next].contains(sequence) {
                return false
            } else {
                ranges[index] = range.lowerBound...sequence
            }
        } else if range.lowerBound == sequence &+ 1 {
            ranges[index] = sequence...range.upperBound
        } else {
            ranges.insert(sequence...sequence, at: index)
        }
        return true
    }

    // MARK: Whole ranges

    /// How many of the range's sequences are in the set.
    package func count(in range: ClosedRange<Sequence64>) -> UInt64 {
        var count: UInt64 = 0
        var index = firstIndex(endingAtOrAfter: range.lowerBound)
        while index < ranges.count, ranges[index].lowerBound <= range.upperBound {
            count += min(ranges[index].upperBound, range.upperBound) - max(ranges[index].lowerBound, range.lowerBound) + 1
            index += 1
        }
        return count
    }

    /// What of the range is not in the set.
    package func gaps(in range: ClosedRange<Sequence64>) -> [ClosedRange<Sequence64>] {
        var rest = SequenceRanges()
        rest.insert(range)
        var index = firstIndex(endingAtOrAfter: range.lowerBound)
        while index < ranges.count, ranges[index].lowerBound <= range.upperBound {
            rest.remove(ranges[index])
            index += 1
        }
        return rest.ranges
    }

    /// Adds all of a range.
    package mutating func insert(_ range: ClosedRange<Sequence64>) {
        guard range.lowerBound < range.upperBound else {
            insert(range.lowerBound)
            return
        }
        // Everything that overlaps the range or touches it becomes one with it.
        let first = firstIndex(endingAtOrAfter: range.lowerBound == 0 ? 0 : range.lowerBound - 1)
        var (lower, upper) = (range.lowerBound, range.upperBound)
        var end = first
        while end < ranges.count, ranges[end].lowerBound <= (upper == .max ? upper : upper + 1) {
            lower = min(lower, ranges[end].lowerBound)
            upper = max(upper, ranges[end].upperBound)
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: [lower...upper])
    }

    /// Takes all of a range out.
    package mutating func remove(_ range: ClosedRange<Sequence64>) {
        let first = firstIndex(endingAtOrAfter: range.lowerBound)
        var end = first
        var kept: [ClosedRange<Sequence64>] = []
        while end < ranges.count, ranges[end].lowerBound <= range.upperBound {
            if ranges[end].lowerBound < range.lowerBound { kept.append(ranges[end].lowerBound...(range.lowerBound - 1)) }
            if ranges[end].upperBound > range.upperBound { kept.append((range.upperBound + 1)...ranges[end].upperBound) }
            end += 1
        }
        ranges.replaceSubrange(first..<end, with: kept)
    }

    private func firstIndex(endingAtOrAfter sequence: Sequence64) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: As bytes: a count, then for each range the distance from the last one's end and its length, all varints.

    package func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 16)
        write(to: &writer)
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(DecodingError) {
        var reader = ByteReader(bytes)
        try self.init(from: &reader, "ranges")
        guard reader.isAtEnd else { throw DecodingError(.trailingBytes, "ranges") }
    }

    package func write(to writer: inout ByteWriter) {
        writer.varint(UInt64(ranges.count))
        var end: Sequence64 = 0
        for range in ranges {
            writer.varint(range.lowerBound - end)
            writer.varint(range.upperBound - range.lowerBound)
            end = range.upperBound
        }
    }

    /// Reads what `write` wrote, as part of something else. More ranges than `rangesMax`, and a sequence above `sequenceMax`, are errors.
    package init(
        from reader: inout ByteReader, _ field: String, rangesMax: Int = Self.rangesMax, sequenceMax: Sequence64 = .max
    ) throws(DecodingError) {
        var end: Sequence64 = 0
        for index in 0..<(try reader.count(field, max: rangesMax)) {
            let (lower, overflowed) = end.addingReportingOverflow(try reader.varint(field))
            let (upper, overflowedToo) = lower.addingReportingOverflow(try reader.varint(field))
            guard !overflowed, !overflowedToo, upper <= sequenceMax, index == 0 || lower > end &+ 1 else { throw DecodingError(.badNumber, field) }
            ranges.append(lower...upper)
            end = upper
        }
    }
}
