import CertificateInspection
import LinuxDriver

/// Goes over the paths of a scan before it does, for the revocation lists among them: they hold for every certificate, wherever it lies.
struct RevocationListSearch {
    static let listsMax = 64

    private var walk: FileWalk
    /// Bytes that may still come.
    private var room: Int
    private(set) var paths: [String] = []
    /// Lists that are larger than what is left, and that there are too many.
    private(set) var problems: [CertificateProblem] = []

    init(_ walk: FileWalk, limits: ScanLimits) {
        self.walk = walk
        room = limits.listBytes
    }

    /// One entry. False at the end. What else is wrong with a path the scan itself tells.
    mutating func step() -> Bool {
        switch walk.next() {
        case .file(let path, let identity, _): if CertificateFileName.isList(path) { take(path, identity.size) }
        case .passed, .problem: break
        case .end: return false
        }
        return true
    }

    private mutating func take(_ path: String, _ size: Int64) {
        guard paths.count < Self.listsMax else {
            return report(CertificateProblem(.limitReached, path, "more than " + String(Self.listsMax) + " revocation lists"))
        }
        guard size <= Int64(room) else { return report(CertificateProblem(tooLarge: path, size, max: Int64(room))) }
        room -= Int(size)
        paths.append(path)
    }

    private mutating func report(_ problem: CertificateProblem) {
        if problems.count < Self.listsMax { problems.append(problem) }
    }
}
