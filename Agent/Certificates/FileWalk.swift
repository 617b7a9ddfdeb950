import CertificateInspection
import LinuxDriver

/// The walk over configured paths, one entry a turn: files as named, directories down to a depth, each file and directory once however
/// many links lead to it. Nothing is opened but directories.
struct FileWalk {
    /// Directories below a configured one.
    static let depthMax = 4

    enum Turn {
        case file(path: String, FileIdentity, isNamed: Bool)
        case problem(CertificateProblem)
        /// An entry that is none of ours.
        case passed
        case end
    }

    private struct Level {
        let directory: String
        let names: [String]
        var next = 0
    }

    private let paths: [String]
    private let limits: ScanLimits
    private var nextPath = 0
    private var levels: [Level] = []
    private var seen: Set<FileIdentity.Place> = []
    private var entries = 0
    /// The depth's limit was told of for this path.
    private var isCut = false
    /// Directories in which a change would change what is found, until somebody takes them.
    private var directories: [String] = []
    private var directoriesCount = 0

    /// Directories that are told of.
    static let directoriesMax = 512

    init(paths: [String], limits: ScanLimits) {
        self.paths = paths
        self.limits = limits
    }

    /// Goes to the beginning.
    mutating func restart() { self = FileWalk(paths: paths, limits: limits) }

    mutating func next() -> Turn {
        guard let (path, isNamed) = nextEntry() else { return .end }
        entries += 1
        guard entries <= limits.entries else {
            levels = []
            nextPath = paths.count
            return .problem(CertificateProblem(.limitReached, path, "more than " + String(limits.entries) + " entries"))
        }
        let identity: FileIdentity
        do throws(SystemError) {
            identity = try FileIdentity.of(path)
        } catch {
            // A dangling link matters where a certificate is expected.
            guard isNamed || CertificateFileName.isCertificate(path) else { return .passed }
            return .problem(CertificateProblem(error.isMissing ? .missing : .unreadable, path, error.isMissing ? "" : error.description))
        }
        switch identity.kind {
        case .directory: return enter(path, identity)
        case .regular:
            guard isNamed || CertificateFileName.isOurs(path), seen.insert(identity.place).inserted else {
                return .passed
            }
            return .file(path: path, identity, isNamed: isNamed)
        case .other:
            guard isNamed || CertificateFileName.isOurs(path), seen.insert(identity.place).inserted else { return .passed }
            return .problem(CertificateProblem(.notRegular, path))
        }
    }

    /// The directories that were met since the last time.
    mutating func takeDirectories() -> [String] {
        defer { directories = [] }
        return directories
    }

    private mutating func note(_ directory: String) {
        guard directoriesCount < Self.directoriesMax else { return }
        directoriesCount += 1
        directories.append(directory)
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.utf8.startIndex ? "/" : String(path.utf8[..<slash]) ?? "."
    }

    private mutating func nextEntry() -> (path: String, isNamed: Bool)? {
        while let level = levels.last {
            if level.next < level.names.count {
                levels[levels.count - 1].next += 1
                let separator = level.directory.utf8.last == UInt8(ascii: "/") ? "" : "/"
                return (level.directory + separator + level.names[level.next], false)
            }
            levels.removeLast()
        }
        guard nextPath < paths.count else { return nil }
        nextPath += 1
        isCut = false
        note(Self.directory(of: paths[nextPath - 1]))
        return (paths[nextPath - 1], true)
    }

    private mutating func enter(_ path: String, _ identity: FileIdentity) -> Turn {
        guard !seen.contains(identity.place) else { return .passed }
        guard levels.count <= Self.depthMax else {
            // Once for a path: the first directory tells where to look.
            defer { isCut = true }
            return isCut ? .passed : .problem(CertificateProblem(.limitReached, path, "more than " + String(Self.depthMax) + " directories deep"))
        }
        seen.insert(identity.place)
        note(path)
        do throws(SystemError) {
            let names = try SmallFile.names(in: path, limit: limits.directoryNames)
            levels.append(Level(directory: path, names: names))
            guard names.count < limits.directoryNames else {
                return .problem(CertificateProblem(.limitReached, path, String(limits.directoryNames) + " names"))
            }
            return .passed
        } catch {
            return .problem(CertificateProblem(.unreadable, path, error.description))
        }
    }
}
