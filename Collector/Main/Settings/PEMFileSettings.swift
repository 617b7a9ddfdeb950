import LinuxDriver
import Settings

/// Files with certificates and keys that a configuration names.
extension SettingsReader {
    private static let pemBytesMax = 1_048_576

    /// The file that a key names, if any; refused where it cannot be read.
    mutating func readableFile(_ key: String) -> String? {
        guard let file = optionalString(key) else { return nil }
        if !canRead(file) { refuse(key, "cannot read " + file) }
        return file
    }

    /// Whether a file with certificates or a key is there to be read.
    func canRead(_ file: String) -> Bool { (try? SmallFile.read(file, limit: Self.pemBytesMax)) != nil }

    /// A certificate's file may have its key, too.
    func hasPrivateKey(_ file: String) -> Bool {
        (try? SmallFile.read(file, limit: Self.pemBytesMax)).map { String(decoding: $0, as: UTF8.self).contains("PRIVATE KEY-----") } ?? false
    }
}
