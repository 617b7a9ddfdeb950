/// A set of instants: sorted, disjoint, half-open ranges of milliseconds.
struct TimeRanges: Equatable {
    private(set) var ranges: [Range<Int64>] = []

    /// Their union, in whatever order they come; empty ones are left out.
    init(_ unsorted: [Range<Int64>] = []) {
        for range in unsorted.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    var length: Int64 { ranges.reduce(0) { $0 + $1.upperBound - $1.lowerBound } }

    func union(_ other: TimeRanges) -> TimeRanges { TimeRanges(ranges + other.ranges) }

    func clamped(to bounds: Range<Int64>) -> TimeRanges { TimeRanges(ranges.map { $0.clamped(to: bounds) }) }

    func subtracting(_ other: TimeRanges) -> TimeRanges {
        var rest: [Range<Int64>] = []
        var next = 0
        for range in ranges {
            var lower = range.lowerBound
            while next < other.ranges.count, other.ranges[next].upperBound <= lower { next += 1 }
            var index = next
            while index < other.ranges.count, other.ranges[index].lowerBound < range.upperBound {
                let hole = other.ranges[index]
                if hole.lowerBound > lower { rest.append(lower..<hole.lowerBound) }
                lower = max(lower, hole.upperBound)
                index += 1
            }
            if lower < range.upperBound { rest.append(lower..<range.upperBound) }
        }
        return TimeRanges(rest)
    }
}
