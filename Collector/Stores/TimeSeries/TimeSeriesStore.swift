import Telemetry

/// The role of the store that keeps samples, and which batches of every kind are taken. What `commit` has returned for is durable:
/// the device may forget it.
package protocol TimeSeriesStore: Sendable {
    /// In one transaction writes the sample blocks of the group and marks its batches taken; one outcome a batch, in order. A batch that is
    /// taken already, earlier or within the group, is a duplicate and not written. Documents and events are only marked.
    func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome]

    /// Which sequences of a device's stream are taken.
    func taken(device: DeviceId, stream: StreamId) async throws -> SequenceRanges

    /// The series a device has sent, sorted, at most `TimeSeriesLimits.seriesPerDeviceMax`.
    func series(of device: DeviceId) async throws -> [Series]

    /// Samples in a range of time, aggregated by step; an error (`tooMuch`) rather than an answer beyond the query's bound.
    func range(_ query: RangeQuery) async throws -> [AggregatedSeries]

    /// The device's newest tick, without looking through history.
    func latest(of device: DeviceId) async throws -> Tick?

    /// Samples of the device in the store.
    func sampleCount(of device: DeviceId) async throws -> Int64

    func statistics() async throws -> TimeSeriesStatistics

    /// Keeps what was refused for an operator to look at; the oldest go when there are too many.
    func quarantine(_ items: [QuarantinedItem]) async throws

    /// What is in quarantine, newest first.
    func quarantined(limit: Int) async throws -> [QuarantinedItem]
}

package enum TimeSeriesLimits {
    /// Series listed for a device; samples of later ones are kept and found all the same.
    package static let seriesPerDeviceMax = 4_096
    package static let quarantineRowsMax = 1_000
    package static let quarantineBytesMax = 16 * 1024 * 1024
}

/// A batch that was checked, with its block when it carries samples.
package struct IncomingBatch: Sendable {
    package let batch: Batch
    package let block: Block?

    package init(batch: Batch, block: Block? = nil) {
        self.batch = batch
        self.block = block
    }
}

/// What became of a batch in a commit.
package enum CommitOutcome: Equatable, Sendable {
    case committed
    case duplicate
    /// Its sequence lies below what the store still keeps account of, so that whether it is taken is not known any more.
    case forgotten
}

/// Something that was refused, as it came.
package struct QuarantinedItem: Equatable, Sendable {
    package let device: DeviceId
    package let reason: String
    /// When it came: UTC, milliseconds since 1970.
    package let at: Int64
    package let bytes: [UInt8]

    package init(device: DeviceId, reason: String, at: Int64, bytes: [UInt8]) {
        self.device = device
        self.reason = reason
        self.at = at
        self.bytes = bytes
    }
}

/// The store as a whole.
package struct TimeSeriesStatistics: Equatable, Sendable {
    package let devices: Int64
    package let blocks: Int64
    package let samples: Int64
    /// Of the blocks, encoded.
    package let bytes: Int64

    package init(devices: Int64, blocks: Int64, samples: Int64, bytes: Int64) {
        self.devices = devices
        self.blocks = blocks
        self.samples = samples
        self.bytes = bytes
    }
}
