/// Text out of a certificate, made safe to show: whatever could hide or move text is written out, nothing is cut.
enum EscapedText {
    /// UTF-8 text with control characters as `\xHH`; `escapesBackslash` for text that is not escaped yet.
    static func visible(bytes: [UInt8], escapesBackslash: Bool) -> String {
        var text = ""
        text.reserveCapacity(bytes.count)
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0: text += escape(UInt8(scalar.value))
            // Marks that reorder the text around them, so that one name looks like another.
            case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: text += "\\u" + Hexadecimal.text(UInt16(scalar.value))
            case 0x5C where escapesBackslash: text += "\\\\"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// An IA5String, ASCII by definition: every other byte as `\xHH`, so that it cannot pass for a letter.
    static func ascii(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        var text = ""
        text.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case 0x5C: text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += escape(byte)
            }
        }
        return text
    }

    private static func escape(_ byte: UInt8) -> String { "\\x" + Hexadecimal.text(CollectionOfOne(byte)) }
}

/// Bytes as lower-case hexadecimal.
enum Hexadecimal {
    static func text(_ bytes: some Collection<UInt8>) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    static func text(_ number: UInt16) -> String { text([UInt8(number >> 8), UInt8(number & 0xFF)]) }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
}
