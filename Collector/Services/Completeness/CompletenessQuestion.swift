import Telemetry
import TimeSeriesStores

/// Works out completeness from what the store knows. Pure: records, receipts, accounts and a time in, a partition of the range out.
///
/// Blocks and receipts with times are painted onto the range first, the better over the worse. What is left are holes, and the numbers of the batches
/// on either side say what a hole is: a sequence between them that is still open is a batch on the device; when none is missing, the device did not
/// sample; and where neither can be told, nobody knows.
package struct CompletenessQuestion: Sendable {
    /// Milliseconds between two ticks where nothing tells it.
    private static let intervalDefault: Int64 = 60_000
    /// Holes up to so many halves of the usual interval are jitter, and belong to what is before them.
    private static let jitterHalves: Int64 = 3

    package let coverage: DeviceCoverage
    /// UTC, milliseconds since 1970.
    package let range: Range<Int64>
    package let now: Int64
    package let isOnline: Bool
    /// When the device's last batch was committed; nil before the first.
    package let lastSeen: Int64?

    package init(coverage: DeviceCoverage, range: Range<Int64>, now: Int64, isOnline: Bool, lastSeen: Int64? = nil) {
        self.coverage = coverage
        self.lastSeen = lastSeen
        self.range = range.clamped(to: Int64.min..<max(now, .min + 1))
        self.now = now
        self.isOnline = isOnline
    }

    package func answer() -> Completeness {
        let interval = usualInterval
        var painted = TimeRanges()
        var segments: [Completeness.Segment] = []
        func paint(_ state: Completeness.State, _ ranges: [Range<Int64>], cause: String? = nil) {
            let fresh = TimeRanges(ranges).clamped(to: range).subtracting(painted)
            segments += fresh.ranges.map { Completeness.Segment(state, $0, cause: cause) }
            painted = painted.union(fresh)
        }
        let raw = coverage.records.filter { $0.resolution == 0 }
        let thinned = coverage.records.filter { $0.resolution > 0 }
        paint(.stored, raw.flatMap { Self.covered($0, interval) })
        paint(.thinned, thinned.flatMap { Self.covered($0, interval) })
        for cause in Set(dropped.map { $0.cause }).sorted() {
            paint(
                .evicted, dropped.filter { $0.cause == cause }.compactMap { $0.time.map { $0.lowerBound..<$0.upperBound + interval } }, cause: cause)
        }
        paint(.notSampled, coverage.records.flatMap { record in record.ticks.pauses.map { $0.lowerBound..<$0.upperBound } })
        let neighbours = Neighbours(coverage.records)
        let isLive = isOnline && (neighbours.newestEnd ?? lastSeen).map { now - $0 <= Completeness.liveTailMax } ?? false
        for hole in TimeRanges([range]).subtracting(painted).ranges {
            segments += coverage.records.isEmpty ? withoutSamples(hole, isLive: isLive) : pieces(of: hole, neighbours, interval, isLive: isLive)
        }
        segments.sort { $0.time.lowerBound < $1.time.lowerBound }
        let endsLive = isLive && segments.last?.state == .onDevice && segments.last.map { $0.milliseconds <= Completeness.liveTailMax } ?? false
        return Completeness(range: range, segments: absorbingJitter(segments, interval), samples: samples, endsLive: endsLive)
    }

    private var dropped: [EvictionReceipt] { coverage.receipts.filter { $0.action == .dropped } }

    /// The median of what blocks say, or else of the distances between blocks that follow each other.
    private var usualInterval: Int64 {
        var intervals = coverage.records.filter { $0.resolution == 0 && $0.ticks.interval > 0 }.map { $0.ticks.interval }
        if intervals.isEmpty {
            intervals = zip(coverage.records, coverage.records.dropFirst()).map { $1.ticks.start - $0.ticks.end }.filter { $0 > 0 }
        }
        guard !intervals.isEmpty else { return Self.intervalDefault }
        return min(intervals.sorted()[intervals.count / 2], Self.intervalDefault * 60)
    }

    /// The time that a block's ticks stand for: each for an interval; a thinned one for the time before it that was merged into it.
    private static func covered(_ record: DeviceCoverage.Record, _ usual: Int64) -> [Range<Int64>] {
        let isThinned = record.resolution > 0
        let before = isThinned ? Int64(record.resolution) * 1_000 : 0
        let after = isThinned ? 1 : record.ticks.interval > 0 ? record.ticks.interval : usual
        var covered: [Range<Int64>] = []
        var start = record.ticks.start
        for pause in record.ticks.pauses where pause.lowerBound >= start {
            covered.append(start - before..<max(start, pause.lowerBound) + after)
            start = pause.upperBound
        }
        covered.append(start - before..<max(start, record.ticks.end) + after)
        return covered
    }

    /// Short holes become part of what is before them; they keep their own state at the end of the range.
    private func absorbingJitter(_ segments: [Completeness.Segment], _ interval: Int64) -> [Completeness.Segment] {
        let jitter = interval * Self.jitterHalves / 2
        var result: [Completeness.Segment] = []
        for (index, segment) in segments.enumerated() {
            let isJitter = segment.milliseconds <= jitter && segment.cause == nil && (segment.state.isGap || segment.state == .notSampled)
            if isJitter, let last = result.last, index < segments.count - 1 {
                result[result.count - 1] = Completeness.Segment(last.state, last.time.lowerBound..<segment.time.upperBound, cause: last.cause)
            } else if isJitter, result.isEmpty, index + 1 < segments.count {
                result.append(Completeness.Segment(segments[index + 1].state, segment.time, cause: segments[index + 1].cause))
            } else {
                result.append(segment)
            }
        }
        return result
    }

    // MARK: Holes

    /// A hole in the time of a device of which no samples are stored: its batches' numbers alone tell whether there were any.
    private func withoutSamples(_ hole: Range<Int64>, isLive: Bool) -> [Completeness.Segment] {
        var counts = Counts()
        for (stream, account) in coverage.accounts {
            guard let newest = account.closed.ranges.last?.upperBound, newest > 0 else { continue }
            counts.add(count(1...newest, of: stream))
        }
        guard counts.total == 0 else { return counts.share(hole) }
        // All of them are documents and events. What came after the last is not known.
        guard !coverage.accounts.isEmpty, let lastSeen else { return [Completeness.Segment(.unknown, hole)] }
        let told = min(max(lastSeen, hole.lowerBound), hole.upperBound)
        return [
            Completeness.Segment(.notSampled, hole.lowerBound..<told), Completeness.Segment(isLive ? .onDevice : .unknown, told..<hole.upperBound),
        ]
    }

    private func pieces(of hole: Range<Int64>, _ neighbours: Neighbours, _ interval: Int64, isLive: Bool) -> [Completeness.Segment] {
        let (left, right) = neighbours.around(hole)
        let (missing, fallback) = missing(between: left, right, isLive: isLive)
        let stream = right?.stream ?? left?.stream ?? 0
        let counts = missing.map { count($0, of: stream) } ?? Counts()
        guard counts.total > 0 else { return [Completeness.Segment(fallback, hole)] }
        return counts.share(hole)
    }

    /// The sequences that lie between two batches, and what the hole is when none of them is missing.
    private func missing(
        between left: DeviceCoverage.Record?, _ right: DeviceCoverage.Record?, isLive: Bool
    ) -> (ClosedRange<Sequence64>?, Completeness.State) {
        guard let right else {
            // Nothing newer is stored. What the device is known to have numbered beyond that is still there.
            guard let left, let newest = coverage.accounts[left.stream]?.closed.ranges.last?.upperBound, newest > left.sequences.upperBound
            else { return (nil, isLive ? .onDevice : .unknown) }
            return (left.sequences.upperBound + 1...newest, isLive ? .onDevice : .unknown)
        }
        let first = right.sequences.lowerBound
        guard let left, left.stream == right.stream else {
            // The first batch of a stream: before it the device was not there, or had another buffer.
            return (first > 1 ? 1...first - 1 : nil, left == nil ? .notSampled : .unknown)
        }
        // Numbers that do not rise with time come of a clock that was set back.
        guard left.sequences.upperBound < first else { return (nil, .unknown) }
        let isNext = left.sequences.upperBound + 1 == first
        return (isNext ? nil : left.sequences.upperBound + 1...first - 1, .notSampled)
    }

    /// How many of some sequences are missing, by what is known of them. Numbers are what devices say and may be of any size, so that the sums are not
    /// whole numbers.
    private struct Counts {
        var open = 0.0
        var evicted = 0.0
        var unknown = 0.0

        var total: Double { evicted + unknown + open }

        mutating func add(_ other: Counts) {
            open += other.open
            evicted += other.evicted
            unknown += other.unknown
        }

        /// What is missing is of several kinds: each has its share of the time, since nothing tells which came first.
        func share(_ hole: Range<Int64>) -> [Completeness.Segment] {
            let shares = [(Completeness.State.evicted, evicted), (.unknown, unknown), (.onDevice, open)].filter { $0.1 > 0 }
            var pieces: [Completeness.Segment] = []
            var lower = hole.lowerBound
            var soFar = 0.0
            for (index, (state, share)) in shares.enumerated() {
                soFar += share
                let length = Double(hole.upperBound - hole.lowerBound) * soFar / total
                let upper = index == shares.count - 1 ? hole.upperBound : min(hole.lowerBound + Int64(length), hole.upperBound)
                guard upper > lower else { continue }
                pieces.append(Completeness.Segment(state, lower..<upper))
                lower = upper
            }
            return pieces
        }
    }

    private func count(_ missing: ClosedRange<Sequence64>, of stream: StreamId) -> Counts {
        let account = coverage.accounts[stream] ?? TakenSequences()
        var counts = Counts()
        if missing.lowerBound < account.floor { counts.unknown += Double(min(account.floor, missing.upperBound + 1) - missing.lowerBound) }
        guard missing.upperBound >= account.floor else { return counts }
        let known = max(missing.lowerBound, account.floor)...missing.upperBound
        counts.open = Double(known.upperBound - known.lowerBound + 1 - account.closed.count(in: known))
        counts.unknown += Double(account.refused.count(in: known))
        // Receipts that know no time tell by their sequences.
        for receipt in dropped where receipt.time == nil && receipt.stream == stream {
            for range in receipt.sequences where range.overlaps(known) {
                let told = range.clamped(to: known)
                counts.evicted += Double(told.upperBound - told.lowerBound) + 1
            }
        }
        return counts
    }

    // MARK: Samples

    private var samples: [Completeness.State: Int64] {
        var samples: [Completeness.State: Int64] = [.stored: 0, .thinned: 0, .evicted: 0]
        for record in coverage.records {
            let state: Completeness.State = record.resolution == 0 ? .stored : .thinned
            samples[state, default: 0] += share(of: record.samples, record.ticks.start...record.ticks.end)
        }
        for receipt in dropped {
            let told = receipt.time.map { share(of: receipt.samples, $0) } ?? receipt.samples
            samples[.evicted] = EvictionReceipt.sum(samples[.evicted] ?? 0, told)
        }
        return samples
    }

    /// What of some samples falls into the range, if they are spread evenly over their time.
    private func share(of samples: Int64, _ time: ClosedRange<Int64>) -> Int64 {
        let whole = time.lowerBound..<time.upperBound + 1
        if range.lowerBound <= whole.lowerBound, whole.upperBound <= range.upperBound { return samples }
        let part = whole.clamped(to: range)
        return Int64(Double(samples) * Double(part.upperBound - part.lowerBound) / Double(whole.upperBound - whole.lowerBound))
    }
}

/// Finds the batches on either side of a hole.
private struct Neighbours {
    /// By their first tick.
    private let records: [DeviceCoverage.Record]
    /// For each place the record with the latest end up to there.
    private let latest: [Int]

    init(_ records: [DeviceCoverage.Record]) {
        self.records = records
        var latest: [Int] = []
        latest.reserveCapacity(records.count)
        for index in records.indices {
            let before = latest.last ?? index
            latest.append(records[index].ticks.end >= records[before].ticks.end ? index : before)
        }
        self.latest = latest
    }

    var newestEnd: Int64? { latest.last.map { records[$0].ticks.end } }

    func around(_ hole: Range<Int64>) -> (DeviceCoverage.Record?, DeviceCoverage.Record?) {
        var low = 0
        var high = records.count
        while low < high {
            let middle = (low + high) / 2
            if records[middle].ticks.start < hole.lowerBound { low = middle + 1 } else { high = middle }
        }
        return (low > 0 ? records[latest[low - 1]] : nil, low < records.count ? records[low] : nil)
    }
}
