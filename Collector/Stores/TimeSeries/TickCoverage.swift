import Telemetry

/// When a block's ticks were taken: from the first to the last, how far apart, and where they paused. Enough to tell time that is sampled from time
/// that is not without decoding the block again.
package struct TickCoverage: Equatable, Sendable {
    /// Pauses kept; the longest, of more.
    package static let pausesMax = 16
    /// How many times the usual interval two ticks must be apart for it to be a pause, in halves.
    private static let pauseHalves: Int64 = 5

    /// UTC, milliseconds since 1970.
    package let start: Int64
    package let end: Int64
    /// The usual time between two ticks, milliseconds; 0 of a single tick.
    package let interval: Int64
    /// Each from the last tick before a pause to the first after it; in order.
    package let pauses: [ClosedRange<Int64>]

    package init(start: Int64, end: Int64, interval: Int64 = 0, pauses: [ClosedRange<Int64>] = []) {
        self.start = start
        self.end = end
        self.interval = interval
        self.pauses = pauses
    }

    /// Of a block's timestamps, at least one, in whatever order they were taken. They are plausible, so that differences do not overflow.
    package init(_ timestamps: [Int64]) {
        var isSorted = true
        var longest: Int64 = 0
        for index in timestamps.indices.dropFirst() {
            let step = timestamps[index] &- timestamps[index - 1]
            longest = max(longest, step)
            if step < 0 { isSorted = false }
        }
        guard isSorted else {
            self.init(timestamps.sorted())
            return
        }
        let (first, last) = (timestamps.first ?? 0, timestamps.last ?? 0)
        let mean = timestamps.count > 1 ? (last &- first) / Int64(timestamps.count - 1) : 0
        // Where no step stands out, the mean is as good as the median and costs no sorting.
        guard longest > mean * Self.pauseHalves / 2 else {
            self.init(start: first, end: last, interval: mean)
            return
        }
        let steps = timestamps.indices.dropFirst().map { timestamps[$0] &- timestamps[$0 - 1] }.sorted()
        let median = max(1, steps[steps.count / 2])
        let found = timestamps.indices.dropFirst().compactMap { index -> ClosedRange<Int64>? in
            let step = timestamps[index] &- timestamps[index - 1]
            return step > median * Self.pauseHalves / 2 ? timestamps[index - 1]...timestamps[index] : nil
        }
        let kept = found.sorted { $0.upperBound - $0.lowerBound > $1.upperBound - $1.lowerBound }.prefix(Self.pausesMax)
        self.init(start: first, end: last, interval: median, pauses: kept.sorted { $0.lowerBound < $1.lowerBound })
    }

    // MARK: The pauses as bytes: for each the distance from the last one's end and its length, as varints

    package var encodedPauses: [UInt8] {
        var writer = ByteWriter(capacity: pauses.count * 8)
        var last = start
        for pause in pauses {
            writer.varint(UInt64(pause.lowerBound - last))
            writer.varint(UInt64(pause.upperBound - pause.lowerBound))
            last = pause.upperBound
        }
        return writer.bytes
    }

    package static func pauses(decoding bytes: [UInt8], start: Int64) throws(DecodingError) -> [ClosedRange<Int64>] {
        var reader = ByteReader(bytes)
        var pauses: [ClosedRange<Int64>] = []
        var last = start
        while !reader.isAtEnd {
            let (lower, overflowed) = last.addingReportingOverflow(Int64(clamping: try reader.varint("pauses.start")))
            let (upper, overflowedToo) = lower.addingReportingOverflow(Int64(clamping: try reader.varint("pauses.length")))
            guard !overflowed, !overflowedToo else { throw DecodingError(.badNumber, "pauses") }
            pauses.append(lower...upper)
            last = upper
        }
        return pauses
    }
}
