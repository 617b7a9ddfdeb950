import Telemetry

/// What the file says of a batch beside its bytes: what eviction, thinning and receipts need, without decoding anything.
struct BatchRow: Equatable {
    let sequence: Sequence64
    let priority: UInt8
    /// Seconds that its ticks were thinned to; 0 for ticks as they were taken.
    let resolution: Int
    /// From 1 to its sequence.
    var span: UInt64
    /// The samples in it, without the companions of thinned ones.
    let samples: Int64
    let ticks: Int64
    /// The times of its first and last tick; when it was sealed for what has no ticks.
    let firstAt: Int64
    let lastAt: Int64
    /// The number of the last tick that was sealed in it; 0 for none.
    let lastTick: Int64
    let bytes: Int64

    var firstSequence: Sequence64 { sequence - (span - 1) }
    var sequences: ClosedRange<Sequence64> { firstSequence...sequence }
    var isUrgent: Bool { priority > BatchKind.samples.priority }
    var holding: Holdings.Kind { Holdings.Kind(priority: priority, resolution: resolution) }
    var tally: Holdings.Tally { Holdings.Tally(batches: 1, bytes: bytes, samples: samples) }

    /// The receipt for giving it up. A document or an event has no ticks.
    func dropped(_ cause: EvictionReceipt.Cause) -> EvictionReceipt {
        EvictionReceipt(.dropped, cause: cause, sequences: sequences, from: firstAt, to: lastAt, ticks: ticks, samples: samples)
    }
}

extension BatchRow {
    /// Of a row's numbers as they are in the file, in the order above. They have no checksum: each is bounded to what a batch can have, so that
    /// whatever is reckoned with them can be. Nil for a sequence that no batch has.
    init?(_ numbers: [Int64]) {
        guard numbers.count == 10, numbers[0] >= 1, numbers[0] <= Int64(BufferState.newestMax) else { return nil }
        sequence = Sequence64(numbers[0])
        priority = UInt8(clamping: numbers[1])
        resolution = Int(Self.bounded(numbers[2], Int64(Batch.resolutionMax)))
        span = UInt64(max(1, Self.bounded(numbers[3], min(Int64(Batch.spanMax), numbers[0]))))
        samples = Self.bounded(numbers[4], Int64(Block.samplesMax))
        ticks = Self.bounded(numbers[5], Int64(Block.ticksMax))
        firstAt = Self.time(numbers[6])
        lastAt = Self.time(numbers[7])
        lastTick = Self.bounded(numbers[8], TickRow.numberMax)
        bytes = Self.bounded(numbers[9], Int64(Batch.bytesMax))
    }

    /// A time as it is in the file.
    static func time(_ number: Int64) -> Int64 { bounded(number, TickTime.wallMax) }

    private static func bounded(_ number: Int64, _ most: Int64) -> Int64 { min(max(number, 0), most) }
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
