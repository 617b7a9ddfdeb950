import CertificateInspection
import LinuxDriver
import OpenSSLDriver

/// A file of a scan that is being looked at: as a whole, or where it is long a piece after the other.
struct OpenFile {
    /// Longer ones are read in pieces, if they can be.
    static let pieceBytesMin: Int64 = 1 << 20

    let identity: FileIdentity
    let isNamed: Bool
    /// Where its records begin.
    let firstRecord: Int
    let firstByte: Int
    private(set) var inspection: FileInspection
    private var pieces: BlockPieces?
    private(set) var faults = 0
    private(set) var firstFault = ""
    var changesAt: Int64?

    var path: String { inspection.path }

    /// Its bytes, or the first of them.
    struct Beginning {
        let bytes: [UInt8]
        let pieces: BlockPieces?
    }

    init(
        _ path: String, _ beginning: Beginning, _ identity: FileIdentity, isNamed: Bool, behind packed: PackedRecords, _ profile: ValidationProfile,
        _ passwords: [String], for inspector: CertificateInspector
    ) {
        self.identity = identity
        self.isNamed = isNamed
        firstRecord = packed.count
        firstByte = packed.bytesCount
        pieces = beginning.pieces
        inspection = FileInspection(path: path, bytes: beginning.bytes, profile: profile, passwords: passwords, for: inspector)
    }

    /// Reads it, or its first piece. Nil when it is longer than the limits let one of its kind be, which is handed back.
    static func read(_ path: String, _ identity: FileIdentity, _ limits: ScanLimits, max: inout Int64) throws(SystemError) -> Beginning? {
        max = limits.bundleBytes
        guard identity.size > pieceBytesMin else { return Beginning(bytes: try SmallFile.read(path, limit: Int(pieceBytesMin)), pieces: nil) }
        guard identity.size <= max else { return nil }
        // What cannot be opened says why when it is read.
        guard var pieces = BlockPieces(path), let first = pieces.next() else {
            return Beginning(bytes: try SmallFile.read(path, limit: Int(pieceBytesMin)), pieces: nil)
        }
        guard CertificateReader.isWhole(first) else { return Beginning(bytes: first, pieces: pieces) }
        max = limits.wholeBytes
        guard identity.size <= max else { return nil }
        return Beginning(bytes: try SmallFile.read(path, limit: Int(max)), pieces: nil)
    }

    /// What comes next in it; nil for nothing yet, when it goes on with another piece.
    mutating func next(with inspector: CertificateInspector, at now: Int64?) -> FileInspection.Outcome? {
        let outcome = inspection.next(with: inspector, at: now)
        switch outcome {
        case .certificate(let certificate): if let date = certificate.changesAt { changesAt = min(date, changesAt ?? .max) }
        case .fault(let text):
            if faults == 0 { firstFault = text }
            faults += 1
        case .end:
            guard let piece = pieces?.next() else { return .end }
            inspection.goOn(with: piece, for: inspector)
            return nil
        case .locked: break
        }
        return outcome
    }
}
