/// What became of a device's samples over a range of time: every millisecond of it is in exactly one state.
package struct Completeness: Equatable, Sendable {
    package enum State: String, CaseIterable, Sendable {
        /// In the store as it was sampled.
        case stored
        /// In the store, thinned on the device to a coarser resolution.
        case thinned
        /// Given up by the device, which said so.
        case evicted
        /// Known to be on the device, which has not delivered it yet.
        case onDevice = "on_device"
        /// The device was off or did not sample: nothing is missing.
        case notSampled = "not_sampled"
        /// Nobody knows: refused, lost with a buffer, or not heard of since.
        case unknown

        /// Whether something is missing.
        package var isGap: Bool { self == .evicted || self == .onDevice || self == .unknown }
        /// Which of two states a picture shows where there is room for one: the greater.
        fileprivate var weight: Int {
            switch self {
            case .stored: 0
            case .notSampled: 1
            case .thinned: 2
            case .onDevice: 3
            case .evicted: 4
            case .unknown: 5
            }
        }
    }

    /// A stretch of time in one state.
    package struct Segment: Equatable, Sendable {
        package let state: State
        package let time: Range<Int64>
        /// Why it was evicted, in the device's word.
        package let cause: String?

        package init(_ state: State, _ time: Range<Int64>, cause: String? = nil) {
            self.state = state
            self.time = time
            self.cause = cause
        }

        package var milliseconds: Int64 { time.upperBound - time.lowerBound }
    }

    /// What a connected device is allowed to hold back at the end of the range, milliseconds: batches are sealed by the minute.
    package static let liveTailMax: Int64 = 180_000

    /// UTC, milliseconds since 1970.
    package let range: Range<Int64>
    /// The range in order, without holes; neighbours differ.
    package let segments: [Segment]
    /// Samples in the range: in the store as sampled, in the store thinned, given up. Those of batches on the edge are shared out by time.
    package let samples: [State: Int64]
    /// The last segment is only what the device has not sealed or sent yet.
    package let endsLive: Bool

    package init(range: Range<Int64>, segments: [Segment], samples: [State: Int64], endsLive: Bool = false) {
        self.range = range
        self.samples = samples
        self.endsLive = endsLive
        var merged: [Segment] = []
        for segment in segments where !segment.time.isEmpty {
            if let last = merged.last, last.state == segment.state, last.cause == segment.cause, last.time.upperBound == segment.time.lowerBound {
                merged[merged.count - 1] = Segment(last.state, last.time.lowerBound..<segment.time.upperBound, cause: last.cause)
            } else {
                merged.append(segment)
            }
        }
        self.segments = merged
    }

    package func milliseconds(_ state: State) -> Int64 { segments.reduce(0) { $0 + ($1.state == state ? $1.milliseconds : 0) } }

    /// All but what a connected device is just about to send.
    private var settled: ArraySlice<Segment> { endsLive ? segments.dropLast() : segments[...] }

    /// Where there are no samples: what is missing first, then what was not sampled; of each the longest first.
    package var gaps: [Segment] {
        let longestFirst = settled.sorted { $0.milliseconds > $1.milliseconds }
        return longestFirst.filter { $0.state.isGap } + longestFirst.filter { $0.state == .notSampled }
    }

    /// Nothing is missing, nor told to have been given up.
    package var isComplete: Bool { !settled.contains { $0.state.isGap } && samples[.evicted] ?? 0 == 0 }

    /// The range as a picture of equal bins, each in the worst state that it has a share of; neighbours that are alike are one run.
    package func strip(bins: Int) -> [(state: State, bins: Int)] {
        guard !range.isEmpty, bins > 0 else { return [] }
        let length = range.upperBound - range.lowerBound
        var worst = [State](repeating: .stored, count: bins)
        var isSet = [Bool](repeating: false, count: bins)
        for segment in segments {
            let first = Int((segment.time.lowerBound - range.lowerBound) * Int64(bins) / length)
            let last = Int((segment.time.upperBound - 1 - range.lowerBound) * Int64(bins) / length)
            for bin in first...min(last, bins - 1) where !isSet[bin] || segment.state.weight > worst[bin].weight {
                worst[bin] = segment.state
                isSet[bin] = true
            }
        }
        var runs: [(state: State, bins: Int)] = []
        for state in worst {
            if runs.last?.state == state { runs[runs.count - 1].bins += 1 } else { runs.append((state, 1)) }
        }
        return runs
    }
}
