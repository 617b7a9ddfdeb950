import OpenSSLDriver

/// Internet addresses as text.
enum NumericAddress {
    /// The one spelling that RFC 3986 and RFC 5952 allow.
    static func text(_ bytes: ArraySlice<UInt8>) -> String.UTF8View {
        Array(bytes).withUnsafeBufferPointer { InternetAddress.text($0) }.utf8
    }

    /// The address that a text names in any spelling that some program takes: parts left out, octal and hexadecimal, upper case.
    static func loose(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard !text.isEmpty, text.count <= 64 else { return nil }
        return text.contains(UInt8(ascii: ":")) ? six(text) : four(text)
    }

    /// As inet_aton(3) reads it: the last of one to four parts fills what is left.
    private static func four(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 4 else { return nil }
        var value: UInt64 = 0
        for (index, part) in parts.enumerated() {
            guard let number = number(part) else { return nil }
            let isLast = index == parts.count - 1
            let bits = UInt64(isLast ? 8 * (5 - parts.count) : 8)
            guard number < 1 << bits else { return nil }
            value = value << bits | number
        }
        return (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt64(24 - 8 * $0)) }
    }

    private static func number(_ text: ArraySlice<UInt8>) -> UInt64? {
        var digits = text
        var base: UInt64 = 10
        if text.count > 1, text.first == UInt8(ascii: "0") {
            let isHexadecimal = ASCII.lower(text[text.startIndex + 1]) == UInt8(ascii: "x")
            base = isHexadecimal ? 16 : text.allSatisfy { 0x30...0x37 ~= $0 } ? 8 : 10
            digits = text.dropFirst(isHexadecimal ? 2 : 1)
        }
        guard !digits.isEmpty, digits.count <= 12 else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = digit(byte), digit < base else { return nil }
            value = value * base + digit
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch ASCII.lower(byte) {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x61...0x66: UInt64(ASCII.lower(byte) - 0x61 + 10)
        default: nil
        }
    }

    private static func six(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var groups: [UInt8] = []
        var gap: Int?
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.count <= 9 else { return nil }
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                // "::" gives one empty part, two at either end.
                let isEdge = index == 0 || index == parts.count - 1
                if gap == nil || gap == groups.count { gap = groups.count } else if !isEdge { return nil }
                continue
            }
            if index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let tail = four(part) else { return nil }
                groups += tail
                continue
            }
            guard part.count <= 4 else { return nil }
            var value: UInt64 = 0
            for byte in part {
                guard let digit = digit(byte) else { return nil }
                value = value << 4 | digit
            }
            groups += [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
        }
        guard groups.count <= 16, groups.count == 16 || gap != nil else { return nil }
        let missing = [UInt8](repeating: 0, count: 16 - groups.count)
        groups.insert(contentsOf: missing, at: gap ?? groups.count)
        return groups
    }
}
