import Telemetry

/// What the file says of a batch beside its bytes: what eviction, thinning and receipts need, without decoding anything.
struct BatchRow: Equatable {
    let sequence: Sequence64
    let priority: UInt8
    /// Seconds that its ticks were thinned to; 0 for ticks as they were taken.
    let resolution: Int
    let span: UInt64
    /// The samples in it, without the companions of thinned ones.
    let samples: Int64
    let ticks: Int64
    /// The times of its first and last tick; when it was sealed for what has no ticks.
    let firstAt: Int64
    let lastAt: Int64
    /// The number of the last tick that was sealed in it; 0 for none.
    let lastTick: Int64
    let bytes: Int64

    /// Of a row that is not as it was written, whatever it says.
    var firstSequence: Sequence64 { span >= 1 && span <= sequence ? sequence - (span - 1) : sequence }
    var sequences: ClosedRange<Sequence64> { firstSequence...sequence }
    var isUrgent: Bool { priority > BatchKind.samples.priority }
    var holding: Holdings.Kind { Holdings.Kind(priority: priority, resolution: resolution) }
    var tally: Holdings.Tally { Holdings.Tally(batches: 1, bytes: bytes, samples: samples) }

    /// The receipt for giving it up. A document or an event has no ticks.
    func dropped(_ cause: EvictionReceipt.Cause) -> EvictionReceipt {
        EvictionReceipt(.dropped, cause: cause, sequences: sequences, from: firstAt, to: lastAt, ticks: ticks, samples: samples)
    }
}

/// A batch to be written, and its row.
struct NewBatch {
    let batch: Batch
    let samples: Int64
    let ticks: Int64
    let firstAt: Int64
    let lastAt: Int64
    let lastTick: Int64
}
