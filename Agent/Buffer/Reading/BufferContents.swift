import Telemetry

/// The batches of a buffer's file, one after the other, the oldest first: of one in use, or with `isAside` whatever can still be read of a damaged one.
/// One in use whose pages turn out to be damaged is read on as if it were aside.
package final class BufferContents {
    private let path: String
    private var reader: BufferReader?
    private var scan: SalvageScan?
    private var last: Sequence64 = 0
    private var next = 0

    /// Rows that could not be read, so far as the reading has come.
    package private(set) var leftOut = 0
    /// Whether SQLite could not read all of it, so that what there is was looked for page by page.
    package private(set) var isDamaged = false
    /// Whether what its log holds is not all as it was written.
    package let isLogDamaged: Bool

    /// Nil when there is no such file.
    package init?(_ path: String, isAside: Bool) throws(BufferError) {
        self.path = path
        isLogDamaged = BufferReader.isLogDamaged(path)
        // SQLite ends at the damage in a log; pages behind it can still be read.
        if isAside || isLogDamaged {
            guard look() else { return nil }
            return
        }
        do throws(BufferError) {
            guard let reader = try BufferReader(path) else { return nil }
            self.reader = reader
        } catch {
            isDamaged = true
            guard error.reason == .damaged, look() else { throw error }
        }
    }

    /// Goes over to reading page by page; whether there is anything to read.
    private func look() -> Bool {
        guard let file = PagedFile(path) else { return false }
        let scan = SalvageScan(file)
        self.scan = scan
        // Cells that hold nothing readable, or else what the file's own account has and its pages do not.
        let missing = (scan.state?.holdings.all.batches ?? 0) - Int64(scan.places.count)
        leftOut = max(leftOut, scan.damagedRows, Int(clamping: missing))
        return true
    }

    /// The next batch and its bytes as they are in the file; nil at the end. A damaged one is left out and counted.
    package func nextBatch() throws(BufferError) -> (batch: Batch, bytes: [UInt8])? {
        if scan == nil {
            do throws(BufferError) { return try nextRow() } catch {
                isDamaged = true
                guard error.reason == .damaged, look() else { throw error }
            }
        }
        guard let scan else { return nil }
        while next < scan.places.count {
            let place = scan.places[next]
            next += 1
            guard place.sequence > last else { continue }
            if let found = scan.batch(at: place) { return (found.batch, found.batch.encoded()) }
            leftOut += 1
        }
        return nil
    }

    private func nextRow() throws(BufferError) -> (batch: Batch, bytes: [UInt8])? {
        while let (sequence, bytes) = try reader?.next(after: last) {
            last = sequence
            if let batch = try? Batch(decoding: bytes) { return (batch, bytes) }
            leftOut += 1
        }
        return nil
    }

    /// Whether there is anything of a buffer.
    package var isBuffer: Bool { scan.map { $0.state != nil || !$0.places.isEmpty } ?? true }
    /// Whether nobody knows what else there should be.
    package var isAccountLost: Bool { scan.map { $0.state == nil } ?? false }
}
