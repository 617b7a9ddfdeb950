import LinuxDriver

/// Buffers that were found damaged and put aside, beside the one in use: for whoever wants to look into them, and only so many.
enum DamagedFiles {
    /// Kept at most, the newest always; of the others only so many as are no larger, together with it, than a buffer may be.
    static let countMax = 3
    /// So many that were set aside within `hurryMax` milliseconds tell of a disk that damages whatever it is given.
    static let hurryCount = 3
    static let hurryMax: Int64 = 600_000
    /// A SQLite database's other files.
    private static let suffixes = ["-wal", "-shm"]

    /// Stands beside a buffer that was found damaged while it was in use.
    private static func mark(_ path: String) -> String { path + ".condemned" }

    /// Has the buffer put aside when it is opened next; whether that could be noted.
    static func condemn(_ path: String) -> Bool { SmallFile.create(mark(path)) }

    /// Whether the buffer was condemned; asked once.
    static func takeSentence(_ path: String) -> Bool { SmallFile.remove(mark(path)) }

    /// Puts the buffer at `path` aside under a name with the time; that name, or nil when it cannot be renamed.
    static func setAside(_ path: String, at wall: Int64, bytesMax: Int64) -> String? {
        let prefix = path + ".damaged-"
        var time = wall
        while SmallFile.exists(prefix + String(time)) { time += 1 }
        let aside = prefix + String(time)
        guard SmallFile.rename(path, to: aside) else { return nil }
        for suffix in suffixes { _ = SmallFile.rename(path + suffix, to: aside + suffix) }
        prune(prefix, keeping: aside, bytesMax: bytesMax)
        return aside
    }

    private static func prune(_ prefix: String, keeping newest: String, bytesMax: Int64) {
        var bytes = size(newest)
        var count = 1
        for file in kept(prefix).reversed().map({ prefix + String($0) }) where file != newest {
            bytes += size(file)
            count += 1
            if count > countMax || bytes > bytesMax {
                for name in suffixes.map({ file + $0 }) + [file] { _ = SmallFile.remove(name) }
            }
        }
    }

    /// Whether files were set aside so often of late that another one would be no better.
    static func isHurried(_ path: String, at wall: Int64) -> Bool {
        kept(path + ".damaged-").filter { ($0 &- wall).magnitude < hurryMax.magnitude }.count >= hurryCount
    }

    private static func size(_ file: String) -> Int64 {
        ([""] + suffixes).reduce(0) { sum, suffix in sum + ((try? FileIdentity.of(file + suffix))?.size ?? 0) }
    }

    /// The times in the names of the files that begin with the prefix, from the oldest to the newest.
    private static func kept(_ prefix: String) -> [Int64] {
        let slash = prefix.lastIndex(of: "/")
        let directory = slash.map { String(prefix[...$0]) } ?? ""
        let namePrefix = slash.map { String(prefix[prefix.index(after: $0)...]) } ?? prefix
        guard let names = try? SmallFile.names(in: directory.isEmpty ? "." : directory) else { return [] }
        var times: [Int64] = []
        for name in names where name.utf8.starts(with: namePrefix.utf8) {
            if let time = Int64(String(name.utf8.dropFirst(namePrefix.utf8.count)) ?? "") { times.append(time) }
        }
        return times.sorted()
    }
}
