/// A label's value from bytes that the kernel gave: bounded, and text whatever they were.
enum LabelText {
    /// Longer names are cut; Linux itself has 15 bytes for an interface, 31 for a disk and 4095 for a mount's path.
    static let bytesMax = 512

    /// The bytes as text without blanks around them; what is not UTF-8 and what cannot be printed becomes `\u{FFFD}`.
    static func of(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(bytesMax), as: UTF8.self).unicodeScalars {
            if text.isEmpty && scalar == " " { continue }
            text.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
        }
        while text.utf8.last == UInt8(ascii: " ") { text.unicodeScalars.removeLast() }
        return text
    }
}
