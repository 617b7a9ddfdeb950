/// The bounds of what is on its way, and of what may be sent over time.
package struct SyncLimits: Sendable {
    /// Live batches on their way at once. They have room of their own, so that no backlog is ever in front of one.
    package var liveBatchesMax = 32
    /// Bytes of live batches on their way at once; one batch always may.
    package var liveBytesMax = 256 * 1024
    /// Backlog batches on their way at once.
    package var backlogBatchesMax = 512
    /// What the window of the backlog may grow to, in bytes; one batch always may.
    package var backlogBytesMax = 1024 * 1024
    /// How long an acknowledgement may take, from the broker's PUBACK on, before a batch is sent again, in milliseconds; on a link whose round
    /// trips are long, `timeoutRoundTrips` of those.
    package var acknowledgeTimeout: Int64 = 10_000
    /// What growing time-outs stop at, and how long the broker may take for its PUBACK, in milliseconds.
    package var acknowledgeTimeoutMax: Int64 = 300_000
    /// The backlog's bytes a second; nil for no bound.
    package var backlogBytesPerSecond: Int64?
    /// All bytes an hour, for metered links; nil for no bound.
    package var bytesPerHour: Int64?

    package init() {}

    /// Round trips that make a time-out when they are more than `acknowledgeTimeout`.
    static let timeoutRoundTrips: Int64 = 4
    /// Publishes without a PUBACK that are kept free for live batches, out of the broker's Receive Maximum: the library queues what is beyond
    /// that, first in, first out.
    static let transportReserve = 4
    /// While the collector does not answer, one batch goes after a random part of 2, 4, 8 … up to 60 s, in milliseconds.
    static let probeDelayBase: Int64 = 2_000
    static let probeDelayMax: Int64 = 60_000
    /// Times that the collector is found silent, and milliseconds since the first of them, before that is told: one that starts anew takes less.
    static let silencesMax = 3
    static let silenceMax: Int64 = 30_000
    /// Ranges of what was sent since the start, for a count.
    static let sentRangesMax = 256
    /// Seconds of its rate that an unused bucket saves up.
    static let rateBurstSeconds: Double = 2
    /// The part of the hourly budget that may go at once. The rest comes over the hour, so that no hour has more than the budget and one batch.
    static let hourlyBurstShare = 0.1
    /// The part of that burst which is kept for live batches.
    static let hourlyLiveShare = 0.5
}
