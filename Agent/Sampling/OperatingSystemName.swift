/// The name of an operating system for people: `PRETTY_NAME` of os-release(5).
enum OperatingSystemName {
    /// Nil when the file has none.
    static func parse(osRelease bytes: [UInt8]) -> String? {
        var name: String?
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "PRETTY_NAME=".utf8) {
            // As a shell would, the last assignment counts.
            name = LabelText.of(unquoted(line.dropFirst("PRETTY_NAME=".utf8.count)))
        }
        return name?.isEmpty == true ? nil : name
    }

    /// os-release(5): values are quoted as a shell's; in double quotes a backslash stands before `$`, `"`, `\` and a backtick.
    private static func unquoted(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var value = value
        while let last = value.last, last <= UInt8(ascii: " ") { value.removeLast() }
        let quote = value.first
        guard value.count >= 2, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"), value.last == quote else { return Array(value) }
        value = value.dropFirst().dropLast()
        guard quote == UInt8(ascii: "\"") else { return Array(value) }
        var text: [UInt8] = []
        var isEscaped = false
        for byte in value {
            if byte == UInt8(ascii: "\\") && !isEscaped {
                isEscaped = true
            } else {
                text.append(byte)
                isEscaped = false
            }
        }
        return text
    }
}
