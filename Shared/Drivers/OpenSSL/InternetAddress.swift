/// The text of an `iPAddress` name (RFC 5280, section 4.2.1.6): 4 or 16 bytes in network order.
package enum InternetAddress {
    /// `192.0.2.1`, `2001:db8::1` (RFC 5952), or for any other length `#` and the bytes in hexadecimal.
    package static func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        switch bytes.count {
        case 4: dotted(bytes)
        case 16: groups(bytes)
        default: "#" + Hexadecimal.text(bytes)
        }
    }

    private static func dotted(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        String(bytes[0]) + "." + String(bytes[1]) + "." + String(bytes[2]) + "." + String(bytes[3])
    }

    private static func groups(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        let values = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        let gap = longestZeroRun(values)
        var text = ""
        var index = 0
        while index < 8 {
            if index == gap.lowerBound && !gap.isEmpty {
                text += "::"
                index = gap.upperBound
                continue
            }
            if !text.isEmpty && index != gap.upperBound { text += ":" }
            text += String(values[index], radix: 16)
            index += 1
        }
        return text
    }

    /// The first of the longest runs of at least two zero groups; empty if there is none.
    private static func longestZeroRun(_ values: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0...values.count where index == values.count || values[index] != 0 {
            if index - start > max(best.count, 1) { best = start..<index }
            start = index + 1
        }
        return best
    }
}
