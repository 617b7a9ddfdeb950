import CLinux

/// Paths by a pattern with `*`, `?` and `[…]`, as a shell has them: no wildcard stands for a slash or for a dot that a name begins with.
package enum FileGlob {
    /// Paths of one pattern, and names of a directory that are looked at.
    package static let pathsMax = 4096
    package static let namesMax = 10_000
    /// A pattern and its parts: fnmatch(3) takes its time over many stars.
    package static let patternBytesMax = 1024
    package static let wildcardsMax = 16

    package static func isPattern(_ path: String) -> Bool { path.utf8.contains(where: isWildcard) }

    /// What there is, in the order of bytes; the path itself where it is no pattern, or names something as it stands.
    package static func paths(_ pattern: String) -> [String] {
        guard isPattern(pattern), !SmallFile.exists(pattern) else { return [pattern] }
        guard pattern.utf8.count <= patternBytesMax, pattern.utf8.count(where: isWildcard) <= wildcardsMax else { return [] }
        var found = [pattern.utf8.first == UInt8(ascii: "/") ? "/" : ""]
        let parts = Array(pattern.utf8).split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        for (index, part) in parts.enumerated() {
            found = found.flatMap { extend($0, by: part, isLast: index == parts.count - 1) }
            if found.count > pathsMax { found.removeLast(found.count - pathsMax) }
        }
        return found
    }

    private static func extend(_ directory: String, by part: String, isLast: Bool) -> [String] {
        let end = isLast ? "" : "/"
        guard isPattern(part) else {
            let path = directory + part
            return SmallFile.exists(path) ? [path + end] : []
        }
        let names = (try? SmallFile.names(in: directory.isEmpty ? "." : directory, limit: namesMax)) ?? []
        return names.filter {
            fnmatch(FileName.bytes(of: part), FileName.bytes(of: $0), FNM_PERIOD) == 0 && (isLast || SmallFile.isDirectory(directory + $0))
        }.map { directory + $0 + end }
    }

    private static func isWildcard(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[")
    }
}
