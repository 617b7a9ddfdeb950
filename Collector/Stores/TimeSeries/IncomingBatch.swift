import Telemetry

/// A batch that was checked: with its block when it carries samples, with the receipt when it is an event that is one.
package struct IncomingBatch: Sendable {
    package let batch: Batch
    package let block: Block?
    /// When the block's ticks were taken.
    package let ticks: TickCoverage?
    package let receipt: EvictionReceipt?

    package init(batch: Batch, block: Block? = nil, receipt: EvictionReceipt? = nil) {
        self.batch = batch
        self.block = block
        ticks = block.map { TickCoverage($0.timestamps) }
        self.receipt = receipt
    }
}

/// What became of a batch in a commit.
package enum CommitOutcome: Equatable, Sendable {
    case committed
    case duplicate
    /// Its sequence lies below what the store still keeps account of, so that whether it is taken is not known any more.
    case forgotten
    /// It stands for several sequences, and some of them are taken: its samples would be there twice.
    case overlap
}

extension Batch {
    /// The sequences of its stream that it stands for.
    package var sequences: ClosedRange<Sequence64> { firstSequence...sequence }

    /// The sequences that it stood for in the stream that it was salvaged from.
    package var originSequences: ClosedRange<Sequence64>? { origin.map { $0.sequence - (span - 1)...$0.sequence } }
}
