import LinuxDriver

/// Passwords of containers, a line each: they never stand in a configuration or on a command line.
package enum PasswordFile {
    static let bytesMax = 4096
    static let linesMax = 8

    package static func read(_ path: String) throws(SystemError) -> [String] {
        let lines = try SmallFile.read(path, limit: bytesMax).split(separator: UInt8(ascii: "\n"))
        return lines.prefix(linesMax).map { String(decoding: $0, as: UTF8.self) }
    }
}
