import Telemetry

/// The batches of a buffer's file, one after the other, the oldest first: of one in use, or with `isAside` whatever can still be read of a damaged one.
package final class BufferContents {
    private let reader: BufferReader?
    private let scan: SalvageScan?
    private var last: Sequence64 = 0
    private var next = 0

    /// Nil when there is no such file.
    package init?(_ path: String, isAside: Bool) throws(BufferError) {
        if isAside {
            guard let file = PagedFile(path) else { return nil }
            let scan = SalvageScan(file)
            self.scan = scan
            reader = nil
            // Cells that hold nothing readable, or else what the file's own account has and its pages do not.
            let missing = (scan.state?.holdings.all.batches ?? 0) - Int64(scan.places.count)
            leftOut = max(scan.damagedRows, Int(clamping: missing))
        } else {
            guard let reader = try BufferReader(path) else { return nil }
            self.reader = reader
            scan = nil
        }
    }

    /// The next batch and its bytes as they are in the file; nil at the end. A damaged one is left out and counted.
    package func nextBatch() throws(BufferError) -> (batch: Batch, bytes: [UInt8])? {
        if let scan {
            while next < scan.places.count {
                next += 1
                if let found = scan.batch(at: scan.places[next - 1]) { return (found.batch, found.batch.encoded()) }
                leftOut += 1
            }
            return nil
        }
        while let (sequence, bytes) = try reader?.next(after: last) {
            last = sequence
            if let batch = try? Batch(decoding: bytes) { return (batch, bytes) }
            leftOut += 1
        }
        return nil
    }

    /// Rows that could not be read, so far as the reading has come.
    package private(set) var leftOut = 0
    /// Whether there is anything of a buffer.
    package var isBuffer: Bool { scan.map { $0.state != nil || !$0.places.isEmpty } ?? true }
    /// Whether nobody knows what else there should be.
    package var isAccountLost: Bool { scan.map { $0.state == nil } ?? false }
}
