import Telemetry

/// What a store knows of when a device was sampled, around a range of time: everything that completeness is worked out from.
package struct DeviceCoverage: Equatable, Sendable {
    /// Batches of samples of one answer.
    package static let recordsMax = 200_000
    /// Accounts of a device of which no samples are stored.
    package static let accountsMax = 64

    /// A stored batch of samples.
    package struct Record: Equatable, Sendable {
        package let stream: StreamId
        package let sequences: ClosedRange<Sequence64>
        package let ticks: TickCoverage
        package let samples: Int64
        /// Seconds its ticks were thinned to; 0 for ticks as they were taken.
        package let resolution: Int

        package init(stream: StreamId, sequences: ClosedRange<Sequence64>, ticks: TickCoverage, samples: Int64, resolution: Int = 0) {
            self.stream = stream
            self.sequences = sequences
            self.ticks = ticks
            self.samples = samples
            self.resolution = resolution
        }
    }

    /// By their first tick: those that reach into the range, the nearest before it and the nearest after.
    package var records: [Record]
    /// Those whose time touches the range, and those that know no time; oldest first.
    package var receipts: [EvictionReceipt]
    /// The accounts of the streams among the records; those of all streams of a device that has no records at all.
    package var accounts: [StreamId: TakenSequences]

    package init(records: [Record] = [], receipts: [EvictionReceipt] = [], accounts: [StreamId: TakenSequences] = [:]) {
        self.records = records
        self.receipts = receipts
        self.accounts = accounts
    }
}
