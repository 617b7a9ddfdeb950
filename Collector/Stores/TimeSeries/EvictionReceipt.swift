import Telemetry

/// What a device says it gave up: samples thinned to a coarser resolution, or dropped. It tells a gap that will never close from a device that
/// was off.
package struct EvictionReceipt: Equatable, Sendable {
    package enum Action: String, Sendable {
        /// Merged into coarser ticks, which come in a batch of their own.
        case thinned
        /// Gone.
        case dropped
    }

    /// Ranges of sequences in one receipt.
    package static let rangesMax = 64
    /// Bytes of a cause that are kept.
    package static let causeBytesMax = 32

    package var action: Action
    /// Why, in the device's word: `size`, `disk_full`, `pending`, `damage`, `unwritten`.
    package var cause: String
    /// What is left, in seconds a tick; 0 when nothing is.
    package var resolution: Int
    /// The stream whose sequences are meant.
    package var stream: StreamId
    /// The sequences whose batches were given up; none for ticks that never had one.
    package var sequences: [ClosedRange<Sequence64>]
    /// When the first and the last of the ticks were taken: UTC, milliseconds since 1970. Nil where nobody knows.
    package var time: ClosedRange<Int64>?
    package var ticks: Int64
    /// Before, and after.
    package var samples: Int64
    package var samplesLeft: Int64

    package init(
        action: Action, cause: String, resolution: Int = 0, stream: StreamId, sequences: [ClosedRange<Sequence64>] = [],
        time: ClosedRange<Int64>? = nil, ticks: Int64 = 0, samples: Int64 = 0, samplesLeft: Int64 = 0
    ) {
        self.action = action
        self.cause = cause
        self.resolution = resolution
        self.stream = stream
        self.sequences = sequences
        self.time = time
        self.ticks = ticks
        self.samples = samples
        self.samplesLeft = samplesLeft
    }

    /// The most that one tells of, or several together: 2⁵³, beyond which a number in JSON may not be what was written.
    package static let countMax: Int64 = 1 << 53

    /// Two counts of receipts, up to `countMax`.
    package static func sum(_ one: Int64, _ other: Int64) -> Int64 { min(max(0, min(one, countMax)) + max(0, min(other, countMax)), countMax) }

    /// One receipt for two of the same action: what is kept of the oldest when a device has more of them than the store keeps. Its sequences
    /// stay closed in the stream's account; only which receipt told of them is forgotten.
    package func merged(with other: EvictionReceipt) -> EvictionReceipt {
        var merged = self
        if cause != other.cause { merged.cause = "several" }
        merged.resolution = max(resolution, other.resolution)
        merged.sequences = []
        merged.ticks = Self.sum(ticks, other.ticks)
        merged.samples = Self.sum(samples, other.samples)
        merged.samplesLeft = Self.sum(samplesLeft, other.samplesLeft)
        if let time, let after = other.time {
            merged.time = min(time.lowerBound, after.lowerBound)...max(time.upperBound, after.upperBound)
        } else {
            merged.time = time ?? other.time
        }
        return merged
    }
}
