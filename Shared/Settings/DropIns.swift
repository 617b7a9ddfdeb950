import LinuxDriver

/// Files beside a configuration that go over it key by key, so that what a package or a provisioning tool sets needs no change of what
/// the administrator wrote: for `agent.yaml` those of `agent.d`.
package enum DropIns {
    /// More are a mistake.
    package static let filesMax = 64
    private static let suffix = ".yaml"

    /// Those of the folder that end in `.yaml`, by name; none where there is no folder. What package managers and editors put aside ends otherwise.
    package static func files(of file: String) throws(SystemError) -> [String] {
        guard file.utf8.count > suffix.utf8.count, isYAML(file) else { return [] }
        let folder = String(decoding: file.utf8.dropLast(suffix.utf8.count), as: UTF8.self) + ".d"
        guard SmallFile.isDirectory(folder) else { return [] }
        return try SmallFile.names(in: folder).filter { $0.utf8.first != UInt8(ascii: ".") && isYAML($0) }.map { folder + "/" + $0 }
    }

    private static func isYAML(_ name: String) -> Bool { name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
}
