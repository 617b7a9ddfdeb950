import CLinux

/// Names of files as text, whatever bytes they have: Linux takes all but 0 and `/`, and text is UTF-8.
///
/// A byte that is no UTF-8 stands as a scalar of a private use area, U+10FE00 and the byte; so do the bytes of such a scalar itself, so that
/// every name has one text, and its text leads back to it.
package enum FileName {
    private static let plane: UInt32 = 0x10FE00
    /// How the UTF-8 of these scalars begins.
    private static let mark: UInt8 = 0xF4

    package static func text(_ name: UnsafePointer<CChar>) -> String {
        text(Array(UnsafeRawBufferPointer(start: name, count: strlen(name))))
    }

    package static func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        // What was repaired is not what it was.
        if !bytes.contains(mark), text.utf8.elementsEqual(bytes) { return text }
        var scalars = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            if let scalar = scalar(rest) {
                scalars.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                scalars.append(Unicode.Scalar(plane + UInt32(first)) ?? "\u{FFFD}")
                rest = rest.dropFirst()
            }
        }
        return String(scalars)
    }

    /// The one that the bytes begin with; nil where they are no UTF-8, or one that stands for a byte.
    private static func scalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        for width in 1...4 where width <= bytes.count {
            let text = String(decoding: bytes.prefix(width), as: UTF8.self)
            guard text.utf8.elementsEqual(bytes.prefix(width)), let scalar = text.unicodeScalars.first else { continue }
            return byte(scalar) == nil && UTF8.width(scalar) == width ? scalar : nil
        }
        return nil
    }

    private static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        scalar.value >= plane + 0x80 && scalar.value <= plane + 0xFF ? UInt8(scalar.value - plane) : nil
    }

    /// Hands over a path as the kernel takes it.
    package static func withBytes<Result>(of path: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        guard path.utf8.contains(mark) else { return path.withCString(body) }
        var bytes: [CChar] = []
        for scalar in path.unicodeScalars {
            if let byte = byte(scalar) {
                bytes.append(CChar(bitPattern: byte))
            } else {
                for unit in String(Character(scalar)).utf8 { bytes.append(CChar(bitPattern: unit)) }
            }
        }
        bytes.append(0)
        return bytes.withUnsafeBufferPointer { body($0.baseAddress!) }
    }

    /// For people and documents: bytes that are no text as `\xE9`.
    package static func shown(_ path: String) -> String {
        guard path.utf8.contains(mark) else { return path }
        var scalars = String.UnicodeScalarView()
        for scalar in path.unicodeScalars {
            guard let byte = byte(scalar) else {
                scalars.append(scalar)
                continue
            }
            scalars.append(contentsOf: ("\\x" + String(byte, radix: 16, uppercase: true)).unicodeScalars)
        }
        return String(scalars)
    }
}
