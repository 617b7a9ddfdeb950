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
            scan = SalvageScan(file)
            reader = nil
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
            }
            return nil
        }
        while let (sequence, bytes) = try reader?.next(after: last) {
            last = sequence
            if let batch = try? Batch(decoding: bytes) { return (batch, bytes) }
            damaged += 1
        }
        return nil
    }

    /// Batches that could not be read.
    package private(set) var damaged = 0
}
