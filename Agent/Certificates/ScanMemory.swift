import CertificateInspection
import LinuxDriver
import Telemetry

/// What the last scan found, so that the next one need not read what has not changed.
package struct ScanMemory: Sendable {
    /// Bytes of packed records that are kept between scans, some 250 certificates; files beyond that are read again each time, since
    /// memory is dearer than time here.
    package static let bytesMax = 128 * 1024

    struct File: Sendable {
        let identity: FileIdentity
        /// A checksum of the path: a file that was renamed has other records. The path itself would be one more allocation to keep.
        let path: UInt32
        let count: Int
        /// The first date that may change a verdict on trust, milliseconds since 1970.
        let changesAt: Int64?
        /// Where its records stand.
        fileprivate var range = 0..<0

        init(identity: FileIdentity, path: String, count: Int, changesAt: Int64?) {
            self.identity = identity
            self.path = ScanMemory.checksum(path)
            self.count = count
            self.changesAt = changesAt
        }
    }

    /// Trust sources that could not be used: a scan that reads nothing still tells of them.
    var trustProblems: [CertificateProblem] = []
    /// Issuers of what is remembered, and of the rest.
    var issuers = PackedRecords()
    private var files: [FileIdentity.Place: File] = [:]
    private var records = PackedRecords()
    private let trust: [FileIdentity?]
    private let scannedAt: Int64
    private let clockIsTrustworthy: Bool

    /// The memory of nothing.
    package init() { self.init(trust: [], scannedAt: 0, clockIsTrustworthy: false) }

    init(trust: [FileIdentity?], scannedAt: Int64, clockIsTrustworthy: Bool) {
        self.trust = trust
        self.scannedAt = scannedAt
        self.clockIsTrustworthy = clockIsTrustworthy
    }

    /// Whether verdicts remembered here hold for a scan now: the same anchors, and a clock that went forward.
    func holds(for scan: ScanMemory) -> Bool {
        trust == scan.trust && clockIsTrustworthy == scan.clockIsTrustworthy && scannedAt <= scan.scannedAt
    }

    /// A file that is what it was, unless a date of a chain has passed since; nil to read it again.
    func file(_ identity: FileIdentity, at path: String, now: Int64) -> File? {
        guard let file = files[identity.place], file.identity == identity, file.path == Self.checksum(path) else { return nil }
        if let changesAt = file.changesAt, changesAt <= now { return nil }
        return file
    }

    /// The packed records of a file of this memory.
    func bytes(of file: File) -> ArraySlice<UInt8> { records.bytes(in: file.range) }

    private static func checksum(_ path: String) -> UInt32 { CRC32C.checksum(Array(path.utf8)[...]) }

    mutating func remember(_ file: File, _ packed: ArraySlice<UInt8>) {
        guard records.bytesCount + packed.count <= Self.bytesMax else { return }
        var file = file
        let start = records.bytesCount
        records.append(packed, count: file.count)
        file.range = start..<records.bytesCount
        files[file.identity.place] = file
    }
}
