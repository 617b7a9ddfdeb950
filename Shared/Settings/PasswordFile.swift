import LinuxDriver

extension SettingsReader {
    private static let passwordFileBytesMax = 4_096

    /// The first line of the file that a key names; nil, and refused, when it cannot be read or is empty.
    package mutating func password(in file: String, of key: String) -> String? {
        passwordFiles.append(file)
        do throws(SystemError) {
            let line = try SmallFile.read(file, limit: Self.passwordFileBytesMax).prefix { $0 != 0x0A && $0 != 0x0D }
            if !line.isEmpty { return String(decoding: line, as: UTF8.self) }
            refuse(key, "the first line of " + file + " is empty")
        } catch { refuse(key, "cannot read " + file + ": " + (error.isTooLarge ? "it is larger than 4 KiB" : error.reason)) }
        return nil
    }
}
