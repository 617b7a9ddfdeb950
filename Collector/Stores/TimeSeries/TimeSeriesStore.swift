import Telemetry

/// The role of the store that keeps samples, and which batches of every kind are taken. What `commit` has returned for is durable:
/// the device may forget it. Any number of collectors may use one store at the same time.
package protocol TimeSeriesStore: Sendable {
    /// In one transaction writes the sample blocks of the group, marks its batches taken and closes what its receipts give up; one outcome a
    /// batch, in order. A batch that is taken already, earlier or within the group, under its own name or the one it was salvaged from, is a
    /// duplicate and not written. Documents and events are only marked.
    ///
    /// A `StoreError` with the reason `refused` means that nothing was written and that some batch of the group will never be; with `tooMuch`, that
    /// nothing was and that smaller groups may be, a single batch never; with `overloaded`, that nothing was, and that it may be one or the other.
    func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome]

    /// Writes what any store that is well takes, and takes it back. Throws when the store is ill; then it is not the batches' fault that they are refused.
    func probe() async throws

    /// The account of a device's stream.
    func taken(device: DeviceId, stream: StreamId) async throws -> TakenSequences

    /// The series a device has sent, sorted, at most `TimeSeriesLimits.seriesPerDeviceMax`.
    func series(of device: DeviceId) async throws -> [Series]

    /// Samples in a range of time, aggregated by step; an error (`tooMuch`) rather than an answer beyond the query's bound.
    func range(_ query: RangeQuery) async throws -> [AggregatedSeries]

    /// The device's newest tick, without looking through history.
    func latest(of device: DeviceId) async throws -> Tick?

    /// When the device was sampled around a range of time, without looking into blocks. Both ends are milliseconds since 1970; an error
    /// (`tooMuch`) beyond `DeviceCoverage.recordsMax` batches.
    func coverage(of device: DeviceId, from: Int64, to: Int64) async throws -> DeviceCoverage

    /// Devices of which other collectors have written samples since this was last asked, so that what is remembered of their newest values
    /// has to be read again; nobody while this collector is alone. May name devices of which nobody else has written.
    func devicesChangedByOthers() async throws -> Set<DeviceId>

    /// Devices of which anything was taken, in the store's order, those after one, at most `limit`.
    func devices(after: DeviceId?, limit: Int) async throws -> [DeviceId]

    /// Samples of the device in the store.
    func sampleCount(of device: DeviceId) async throws -> Int64

    func statistics() async throws -> TimeSeriesStatistics

    /// Keeps what validating certificates measured; one that is there already stays as it is.
    func keep(_ validations: [CertificateValidation]) async throws

    /// What validating a certificate measured, newest first, at most `limit`.
    func validations(of certificate: String, limit: Int) async throws -> [CertificateValidation]

    /// Keeps what was refused for an operator to look at, and closes the sequences it stands for, which may still be taken once. The oldest
    /// go when there are too many, and what is no batch before what is one: how many went.
    @discardableResult
    func quarantine(_ items: [QuarantinedItem]) async throws -> Int

    /// What is in quarantine, newest first.
    func quarantined(_ query: QuarantineQuery) async throws -> [QuarantinedItem]

    func quarantined(id: Int64) async throws -> QuarantinedItem?

    /// Changes why an item is in quarantine.
    func setQuarantineReason(of id: Int64, _ reason: String) async throws

    /// Removes an item; false when there is none.
    func removeQuarantined(id: Int64) async throws -> Bool
}

package enum TimeSeriesLimits {
    /// Series listed for a device; samples of later ones are kept and found all the same.
    package static let seriesPerDeviceMax = 4_096
    /// Series of a device that a store gives numbers to, where it keeps samples by them; a batch with more is refused by name.
    package static let seriesNumberedPerDeviceMax = 65_536
    /// Rows of `certificate_metrics` in the embedded make; on a server they go with the samples.
    package static let certificateMetricsMax = 1_000_000
    package static let quarantineRowsMax = 1_000
    package static let quarantineBytesMax = 16 * 1024 * 1024
    /// Of one device, so that none of them can push out what others have there.
    package static let quarantineRowsPerDeviceMax = 100
    package static let quarantineBytesPerDeviceMax = 2 * 1024 * 1024
    /// Receipts kept of a device; beyond it the oldest two of an action become one.
    package static let receiptsPerDeviceMax = 1_024
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
