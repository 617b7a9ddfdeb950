import LinuxDriver

/// Buffers that were found damaged and put aside, beside the one in use: for whoever wants to look into them, and only so many.
enum DamagedFiles {
    /// Kept at most; the oldest goes.
    static let countMax = 3
    /// A SQLite database's other files.
    private static let suffixes = ["-wal", "-shm"]

    /// Stands beside a buffer that was found damaged while it was in use.
    private static func mark(_ path: String) -> String { path + ".condemned" }

    /// Has the buffer put aside when it is opened next; whether that could be noted.
    static func condemn(_ path: String) -> Bool { SmallFile.create(mark(path)) }

    /// Whether the buffer was condemned; asked once.
    static func takeSentence(_ path: String) -> Bool { SmallFile.remove(mark(path)) }

    /// Puts the buffer at `path` aside under a name with the time; that name, or nil when it cannot be renamed.
    static func setAside(_ path: String, at wall: Int64) -> String? {
        let prefix = path + ".damaged-"
        let aside = prefix + String(wall)
        // A rename replaces what stands at the new path: that is how the oldest goes.
        for file in kept(prefix).filter({ $0 != aside }).dropLast(countMax - 1) {
            for name in suffixes.map({ file + $0 }) + [file] { _ = SmallFile.rename(name, to: aside) }
        }
        guard SmallFile.rename(path, to: aside) else { return nil }
        for suffix in suffixes { _ = SmallFile.rename(path + suffix, to: aside + suffix) }
        return aside
    }

    /// The files whose path is the prefix and a number, from the oldest to the newest.
    private static func kept(_ prefix: String) -> [String] {
        let slash = prefix.lastIndex(of: "/")
        let directory = slash.map { String(prefix[...$0]) } ?? ""
        let namePrefix = slash.map { String(prefix[prefix.index(after: $0)...]) } ?? prefix
        guard let names = try? SmallFile.names(in: directory.isEmpty ? "." : directory) else { return [] }
        var times: [Int64] = []
        for name in names where name.utf8.starts(with: namePrefix.utf8) {
            if let time = Int64(String(name.utf8.dropFirst(namePrefix.utf8.count)) ?? "") { times.append(time) }
        }
        return times.sorted().map { prefix + String($0) }
    }
}
