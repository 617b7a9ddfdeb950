import LinuxDriver

/// The files that a buffer has beside the one that it is named for, or may have at any moment.
package enum BufferFiles {
    /// Those that count into the buffer's bound.
    static let bounded = ["", "-wal", "-shm", ".lock", ".reserve"]
    private static let others = ["-journal", ".condemned", ".aside", ".new"]
    /// What was put aside has the time behind this.
    private static let asidePrefix = ".damaged-"

    /// Whether a file at `target` is one of the buffer's at `path`, or would be: under another name, behind a link, or one that is not there now
    /// and that SQLite would take for its own.
    package static func include(_ target: String, of path: String) -> Bool {
        let place = try? FileIdentity.of(target).place
        // SQLite has its log beside the file itself, whatever link leads there.
        for base in [path, FileIdentity.resolved(path) ?? path] {
            for name in (bounded + others).map({ base + $0 }) {
                if let place, let own = try? FileIdentity.of(name).place, own == place { return true }
                if isSamePlace(target, name) { return true }
            }
            if isAside(target, of: base) { return true }
        }
        return false
    }

    /// Whether a file at `target` is, or belongs to, a buffer of whatever name: a SQLite database or its log, or what a buffer has beside it. Nothing
    /// that an export writes looks so.
    package static func isOfAny(_ target: String) -> Bool {
        let resolved = FileIdentity.resolved(target) ?? target
        guard let file = ReadOnlyFile(resolved) else { return false }
        let start = file.read(at: 0, count: databaseMagic.count)
        if start == databaseMagic || journalMagics.contains(Array(start.prefix(4))) || SealMark.isMarked(resolved) { return true }
        // Its own beginning may be damaged, or empty.
        return (bounded + others).contains { suffix in
            resolved.utf8.count > suffix.utf8.count && resolved.utf8.reversed().starts(with: suffix.utf8.reversed())
                && SealMark.isMarked((String(resolved.utf8.dropLast(suffix.utf8.count)) ?? resolved) + ".lock")
        }
    }

    private static let databaseMagic: [UInt8] = Array("SQLite format 3\0".utf8)
    private static let journalMagics: [[UInt8]] = [[0x37, 0x7F, 0x06, 0x82], [0x37, 0x7F, 0x06, 0x83]]

    /// Whether two paths name the same entry of the same directory.
    private static func isSamePlace(_ a: String, _ b: String) -> Bool {
        let (first, second) = (split(a), split(b))
        return first.name == second.name && isSameDirectory(first.directory, second.directory)
    }

    private static func isAside(_ target: String, of path: String) -> Bool {
        let (own, other) = (split(path), split(target))
        return other.name.utf8.starts(with: (own.name + asidePrefix).utf8) && isSameDirectory(own.directory, other.directory)
    }

    private static func isSameDirectory(_ a: String, _ b: String) -> Bool {
        guard let first = try? FileIdentity.of(a).place, let second = try? FileIdentity.of(b).place else { return false }
        return first == second
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let directory = String(path.utf8[...slash]) ?? "/"
        return (directory, String(path.utf8[path.utf8.index(after: slash)...]) ?? "")
    }
}
