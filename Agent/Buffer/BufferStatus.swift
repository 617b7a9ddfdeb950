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
    /// The samples in them.
    package let samples: Int64
    /// When the oldest of them was sealed: milliseconds since 1970.
    package let oldestSealedAt: Int64?
    package let unsealedTicks: Int64
    /// The database's pages in use, in bytes.
    package let usedBytes: Int64

    init(_ database: Database, path: String) throws(SQLiteError) {
        stream = UInt64(bitPattern: try database.integer("SELECT value FROM meta WHERE key = 'stream'") ?? 0)
        newestSequence = UInt64(clamping: try database.integer("SELECT value FROM meta WHERE key = 'newest'") ?? 0)
        batches = try database.integer("SELECT count(*) FROM batches") ?? 0
        batchBytes = try database.integer("SELECT sum(length(bytes)) FROM batches") ?? 0
        samples = try database.integer("SELECT sum(samples) FROM batches") ?? 0
        oldestSealedAt = try database.integer("SELECT sealed_at FROM batches ORDER BY sequence LIMIT 1")
        unsealedTicks = try database.integer("SELECT count(*) FROM ticks") ?? 0
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        usedBytes = (pages - free) * BufferFile.pageBytes
    }

    /// Reads a buffer without disturbing the agent that owns it; nil when there is no such file.
    package static func read(_ path: String) throws(BufferError) -> BufferStatus? {
        guard SmallFile.exists(path) else { return nil }
        do throws(SQLiteError) {
            return try BufferStatus(try Database(path: path, access: .readOnly), path: path)
        } catch {
            throw BufferError(error, path)
        }
    }
}
