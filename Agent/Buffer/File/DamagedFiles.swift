import LinuxDriver

/// Buffers that were found damaged and put aside, beside the one in use: for whoever wants to look into them, and only so many.
enum DamagedFiles {
    /// Kept at most, the newest always; of the others only so many as are no larger, together with it, than a buffer may be.
    static let countMax = 3
    /// So many that were set aside within `hurryMax` milliseconds tell of a disk that damages whatever it is given.
    static let hurryCount = 3
    static let hurryMax: Int64 = 600_000
    /// Stands beside a buffer that was found damaged while it was in use.
    private static func mark(_ path: String) -> String { path + ".condemned" }

    /// Has the buffer put aside when it is opened next; whether that could be noted.
    static func condemn(_ path: String) -> Bool { SmallFile.create(mark(path)) }

    static func isCondemned(_ path: String) -> Bool { SmallFile.exists(mark(path)) }

    /// What stands at the path from here on is another file.
    static func pardon(_ path: String) { _ = SmallFile.remove(mark(path)) }

    /// The name to keep the buffer at `path` under: with the time, and free.
    static func name(_ path: String, at wall: Int64) -> String {
        var time = wall
        while SmallFile.exists(prefix(path) + String(time)) { time &+= 1 }
        return prefix(path) + String(time)
    }

    private static func prefix(_ path: String) -> String { path + ".damaged-" }

    /// Removes the oldest beside this one. In bytes there is a bound only when nothing is to be taken over from any of them any more.
    static func prune(_ path: String, keeping newest: String, bytesMax: Int64?) {
        var bytes = size(newest)
        var count = 1
        for file in kept(prefix(path)).reversed().map({ prefix(path) + String($0) }) where file != newest {
            bytes += size(file)
            count += 1
            if count > countMax || bytes > bytesMax ?? .max {
                for name in SettingAside.suffixes.map({ file + $0 }) + [file] { _ = SmallFile.remove(name) }
            }
        }
    }

    /// Whether files were set aside so often of late that another one would be no better. While the clock is not set nobody can tell.
    static func isHurried(_ path: String, at wall: Int64) -> Bool {
        guard TickTime.isPlausible(wall) else { return false }
        return kept(prefix(path)).filter { ($0 &- wall).magnitude < hurryMax.magnitude }.count >= hurryCount
    }

    private static func size(_ file: String) -> Int64 {
        ([""] + SettingAside.suffixes).reduce(0) { sum, suffix in sum + ((try? FileIdentity.of(file + suffix))?.size ?? 0) }
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
