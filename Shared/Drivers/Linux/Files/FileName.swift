import CLinux

/// Names of files as text, whatever bytes they have: Linux takes all but 0 and `/`, and text is UTF-8.
///
/// A byte that is no UTF-8 stands as a scalar of a private use area, U+10FE00 and the byte; so do the bytes of such a scalar itself, so that
/// every name has one text, and its text leads back to it. In UTF-8 these scalars are F4 8F BA 80 to F4 8F BB BF.
package enum FileName {
    private static let mark: UInt8 = 0xF4

    package static func text(_ name: UnsafePointer<CChar>) -> String {
        text(Array(UnsafeRawBufferPointer(start: name, count: strlen(name))))
    }

    package static func text(_ name: [UInt8]) -> String {
        var bytes: [UInt8] = []
        var index = 0
        while index < name.count {
            let width = width(of: name, at: index)
            if width == 0 {
                bytes += [mark, 0x8F, 0xBA | (name[index] >> 6 & 1), 0x80 | (name[index] & 0x3F)]
            } else {
                bytes += name[index..<index + width]
            }
            index += max(1, width)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Bytes of the scalar that begins there, by RFC 3629; 0 for none, and for one that stands for a byte.
    private static func width(of name: [UInt8], at index: Int) -> Int {
        let first = name[index]
        if first < 0x80 { return 1 }
        let width = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= mark, index + width <= name.count else { return 0 }
        for next in name[(index + 1)..<(index + width)] where next & 0xC0 != 0x80 { return 0 }
        let second = name[index + 1]
        switch first {
        case 0xE0: return second >= 0xA0 ? width : 0
        case 0xED: return second < 0xA0 ? width : 0
        case 0xF0: return second >= 0x90 ? width : 0
        case mark: return second <= 0x8F && byte(name, at: index) == nil ? width : 0
        default: return width
        }
    }

    /// The byte that the scalar there stands for.
    private static func byte(_ text: [UInt8], at index: Int) -> UInt8? {
        guard text[index] == mark, index + 3 < text.count, text[index + 1] == 0x8F, text[index + 2] & 0xFE == 0xBA else { return nil }
        return 0x80 | (text[index + 2] & 1) << 6 | (text[index + 3] & 0x3F)
    }

    /// A path as the kernel takes it, with a 0 behind it.
    @inline(never)
    package static func bytes(of path: String) -> [CChar] {
        let text = Array(path.utf8)
        var bytes: [CChar] = []
        bytes.reserveCapacity(text.count + 1)
        var index = 0
        while index < text.count {
            let byte = byte(text, at: index)
            bytes.append(CChar(bitPattern: byte ?? text[index]))
            index += byte == nil ? 1 : 4
        }
        bytes.append(0)
        return bytes
    }

    /// For people and documents: bytes that are no text as `\xE9`.
    @inline(never)
    package static func shown(_ path: String) -> String {
        guard path.utf8.contains(mark) else { return path }
        let digits = Array("0123456789ABCDEF".utf8)
        let text = Array(path.utf8)
        var shown: [UInt8] = []
        var index = 0
        while index < text.count {
            let byte = byte(text, at: index)
            if let byte {
                shown += [UInt8(ascii: "\\"), UInt8(ascii: "x"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                shown.append(text[index])
            }
            index += byte == nil ? 1 : 4
        }
        return String(decoding: shown, as: UTF8.self)
    }
}
