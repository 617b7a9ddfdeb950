import LinuxDriver
import SQLiteDriver
import Telemetry

/// What a buffer holds, read from its file; also while an agent has it open.
package struct BufferStatus: Sendable {
    package let stream: StreamId
    package let newestSequence: Sequence64
    /// Batches that are not acknowledged yet, and their bytes.
    package let batches: Int64
    package let batchBytes: Int64
    /// The samples in them: values of series at times. The least, the most and the count that come with a thinned mean are not counted.
    package let samples: Int64
    /// Those of them that were thinned to minutes or more, and documents and events.
    package let thinnedBatches: Int64
    package let urgentBatches: Int64
    /// Of the sequences from the oldest batch to the newest, those that may have been sent.
    package let sentSequences: UInt64
    /// The times of the oldest and the newest batch's ticks: milliseconds since 1970.
    package let oldestAt: Int64?
    package let newestAt: Int64?
    package let unsealedTicks: Int64
    package let unsealedSamples: Int64?
    /// Receipts that are not written yet.
    package let receiptsOwed: Int
    /// The database's pages in use, in bytes.
    package let usedBytes: Int64
    /// All the buffer's files, in bytes, and what they may reach; 0 for no bound that is known.
    package let fileBytes: Int64
    package let bytesMax: Int64
    /// Of a file that was read from outside: whether its log is damaged, so that there was more.
    package private(set) var isLogDamaged = false

    init(
        _ database: Database, _ state: BufferState, path: String, limits: BufferLimits?, unsealed: (ticks: Int64, samples: Int64)?
    ) throws(SQLiteError) {
        stream = state.stream
        newestSequence = state.newest
        let all = state.holdings.all
        (batches, batchBytes, samples) = (all.batches, all.bytes, all.samples)
        thinnedBatches = state.holdings[.minute].batches + state.holdings[.coarse].batches
        urgentBatches = state.holdings[.urgent].batches
        let oldest = UInt64(clamping: try database.integer("SELECT min(sequence) FROM batches") ?? Int64.max)
        sentSequences = state.sent.count(from: oldest, through: state.newest)
        oldestAt = try database.integer("SELECT first_at FROM batches ORDER BY sequence LIMIT 1").map(BatchRow.time)
        newestAt = try database.integer("SELECT last_at FROM batches ORDER BY sequence DESC LIMIT 1").map(BatchRow.time)
        if let unsealed {
            unsealedTicks = unsealed.ticks
        } else {
            unsealedTicks = try database.integer("SELECT count(*) FROM ticks") ?? 0
        }
        unsealedSamples = unsealed?.samples
        receiptsOwed = state.owed.receipts.count
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        usedBytes = (pages - free) * BufferFile.pageBytes
        fileBytes = BufferFiles.bounded.reduce(0) { $0 + ((try? FileIdentity.of(path + $1))?.size ?? 0) }
        bytesMax = limits?.bytesMax ?? 0
    }

    /// Reads a buffer without disturbing the agent that owns it; nil when there is no such file.
    package static func read(_ path: String, limits: BufferLimits? = nil) throws(BufferError) -> BufferStatus? {
        guard let reader = try BufferReader(path) else { return nil }
        var status = try reader.status(limits)
        status.isLogDamaged = BufferReader.isLogDamaged(path)
        return status
    }

    /// Of a shorter backlog nothing is said of the days that are left: milliseconds.
    private static let backlogLeast: Double = 3_600_000

    /// Days until there is no room left, at the rate at which the batches that are here came; nil when that cannot be said.
    package var daysLeft: Double? {
        guard let oldestAt, let newestAt, batches > 1, bytesMax > 0 else { return nil }
        let backlog = Double(newestAt - oldestAt)
        guard backlog >= Self.backlogLeast else { return nil }
        // The batches' own bytes: the pages in use have room that is taken anyway, which is most of a small file.
        let bytesPerDay = Double(batchBytes) / (backlog / 86_400_000)
        let room = Double(bytesMax - BufferLimits.journalReserve) - Double(usedBytes)
        return bytesPerDay > 0 ? max(0, room) / bytesPerDay : nil
    }
}
