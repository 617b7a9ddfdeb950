import LinuxDriver
import Settings

extension SettingsReader {
    private static let passwordFileBytesMax = 4_096

    /// The first line of the file that a key names; nil, and refused, when it cannot be read or is empty.
    mutating func password(in file: String, of key: String) -> String? {
        guard let bytes = try? SmallFile.read(file, limit: Self.passwordFileBytesMax) else {
            refuse(key, "cannot read " + file)
            return nil
        }
        let line = bytes.prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty else {
            refuse(key, "the first line of " + file + " is empty")
            return nil
        }
        return String(decoding: line, as: UTF8.self)
    }
}
