import LinuxDriver

/// The chart library, which is the system's (Debian's libjs-dygraphs) and not ours to copy. Without it the console shows no charts.
struct ChartLibrary: Sendable {
    static let names = ["dygraph.min.js", "dygraph.min.css"]
    /// A file's size; the library's script is some 130 KB.
    static let bytesMax = 2 * 1024 * 1024

    let directory: String

    /// Read anew for each request that does not have it yet, so that installing the package is enough.
    func asset(_ name: String) -> ConsoleAsset? {
        guard Self.names.contains(name), let bytes = try? SmallFile.read(directory + "/" + name, limit: Self.bytesMax) else { return nil }
        return ConsoleAsset(ConsoleAsset.contentType(of: name), bytes)
    }
}
