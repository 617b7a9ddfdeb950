/// How much a buffer may hold, and when it seals.
package struct BufferLimits: Sendable {
    /// All of the buffer's files together, in bytes.
    package var bytesMax: Int64 = 64 * 1024 * 1024
    /// Ticks in a batch at most, and `pendingTicksMax` whatever is said here.
    package var sealTicksMax = 256
    /// The age of the oldest unsealed tick at most, in milliseconds.
    package var sealAgeMax: Int64 = 60_000
    /// Samples in a batch at most: 8 bytes each, none of them compressible, still fit a batch.
    package var sealSamplesMax = 6_000

    /// The smallest buffer that can work: the journal's bound twice, and some pages.
    package static let bytesMaxLeast: Int64 = 4 * 1024 * 1024
    /// Unsealed ticks at most, however long they cannot be sealed; then the older half of them is thinned to every second.
    package static let pendingTicksMax = 8_192
    /// Older batches that are marked as sent together with one that is.
    static let markedAhead: UInt64 = 63
    /// The write-ahead log is checkpointed at this many bytes and may reach about twice that.
    static let journalBytes: Int64 = 512 * 1024
    /// Room kept for the log, out of `bytesMax`.
    static let journalReserve: Int64 = 3 * journalBytes

    package init() {}

    /// What the database file itself may reach.
    var databaseBytesMax: Int64 { bytesMax - Self.journalReserve }
    /// Above this, the oldest of the lowest priority go.
    var evictionBytes: Int64 { databaseBytesMax / 100 * 90 }
    /// What one eviction comes down to, so that evictions, and their receipts, are few.
    var evictionFloorBytes: Int64 { databaseBytesMax / 100 * 85 }
}
