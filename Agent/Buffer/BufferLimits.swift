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
    /// Room on the disk that is held for a time when it is full, out of `bytesMax`; 0 for none.
    package var reserveBytes: Int64 = 512 * 1024

    /// The smallest buffer that can work: the journal's bound and the reserve, and as much for the database.
    package static let bytesMaxLeast: Int64 = 4 * 1024 * 1024
    /// What a buffer in memory may take, the last resort on a device whose disk fails.
    static let memoryBytesMax: Int64 = 8 * 1024 * 1024
    /// Unsealed ticks at most, however long they cannot be sealed, and their samples; then the older half of them is thinned to every second.
    package static let pendingTicksMax = 8_192
    package static let pendingSamplesMax = 131_072
    /// Older batches that are marked as sent together with one that is.
    static let markedAhead: UInt64 = 63
    /// Batches that are acknowledged and not deleted yet: they go with the next seal, which writes the same pages, or when they are so many.
    static let forgottenMax: UInt64 = 64
    /// Steps against pressure in a row: at a seal, at a tick, and to make room for one write.
    static let sealSteps = 8
    static let tickSteps = 1
    static let roomSteps = 64
    /// Receipts that are written in one transaction, and such transactions in a row.
    static let receiptsAtOnce = 16
    static let receiptPasses = 8

    /// The write-ahead log is checkpointed at this many bytes.
    static let journalBytes: Int64 = 512 * 1024
    /// Above this nothing is written any more until it could be: another process reads and holds it up.
    static let journalBytesMax: Int64 = 1_024 * 1024
    /// Room kept for the log and its index, out of `bytesMax`: beside `journalBytesMax` what one transaction takes, and 64 KiB of index.
    static let journalReserve: Int64 = 3 * journalBytes + 64 * 1024

    package init() {}

    /// What the database file itself may reach.
    var databaseBytesMax: Int64 { max(16 * BufferFile.pageBytes, bytesMax - Self.journalReserve - reserveBytes) }
    /// Out of that what only a step against pressure may take: what tells of it may need a page when none is free.
    var reliefBytes: Int64 { min(64 * 1024, databaseBytesMax / 16) }
    var databasePagesMax: Int64 { (databaseBytesMax - reliefBytes) / BufferFile.pageBytes }
    var reliefPagesMax: Int64 { databaseBytesMax / BufferFile.pageBytes }
    /// The rows of unsealed ticks may take a quarter of it, and no more than this.
    var pendingBytesMax: Int64 { min(2 * 1024 * 1024, databaseBytesMax / 4) }
    /// Above this, room is made.
    var pressureBytes: Int64 { databaseBytesMax / 100 * 90 }
    /// What it comes down to, so that evictions, and their receipts, are few.
    var pressureFloorBytes: Int64 { databaseBytesMax / 100 * 85 }
}
