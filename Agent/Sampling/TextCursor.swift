/// A place in a text of lines and fields, as `/proc` and `/sys` write it. Works on bytes, so that reading a file makes no String;
/// whatever the text holds, a step either moves forward or says nil.
struct TextCursor {
    private(set) var index = 0

    init() {}

    // MARK: Lines

    /// Goes to the beginning of the next line; false at the text's end.
    mutating func skipLine(in text: Span<UInt8>) -> Bool {
        while index < text.count {
            index += 1
            if text[index - 1] == UInt8(ascii: "\n") { return index < text.count }
        }
        return false
    }

    // MARK: Fields

    /// The next field of this line: what stands between blanks. Nil at the line's end.
    mutating func field(in text: Span<UInt8>) -> Range<Int>? {
        skipBlanks(in: text)
        let start = index
        while index < text.count, text[index] > UInt8(ascii: " ") { index += 1 }
        return index > start ? start..<index : nil
    }

    /// What stands before `end` in this line, blanks in front left out; the cursor then stands behind `end`. Nil when the line has none.
    mutating func field(endingWith end: Unicode.Scalar, in text: Span<UInt8>) -> Range<Int>? {
        skipBlanks(in: text)
        let start = index
        let end = UInt8(ascii: end)
        while index < text.count, text[index] != UInt8(ascii: "\n") {
            index += 1
            if text[index - 1] == end { return start..<index - 1 }
        }
        return nil
    }

    /// Skips `count` fields; false when the line has fewer.
    mutating func skipFields(_ count: Int, in text: Span<UInt8>) -> Bool {
        for _ in 0..<count where field(in: text) == nil { return false }
        return true
    }

    /// Skips `prefix` if it stands here.
    mutating func skip(_ prefix: StaticString, in text: Span<UInt8>) -> Bool {
        let matches = prefix.withUTF8Buffer { prefix in
            guard prefix.count <= text.count - index else { return false }
            for offset in 0..<prefix.count where text[index + offset] != prefix[offset] { return false }
            return true
        }
        if matches { index += prefix.utf8CodeUnitCount }
        return matches
    }

    // MARK: Numbers

    /// The next field as a whole number; nil for anything else, and for what 64 bits do not hold.
    mutating func unsigned(in text: Span<UInt8>) -> UInt64? {
        skipBlanks(in: text)
        guard let value = digits(in: text), isAtFieldEnd(in: text) else { return nil }
        return value
    }

    /// The next field as a whole number with an optional minus.
    mutating func signed(in text: Span<UInt8>) -> Int64? {
        skipBlanks(in: text)
        let isNegative = skip("-", in: text)
        guard let value = digits(in: text), isAtFieldEnd(in: text), let magnitude = Int64(exactly: value) else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// The next field, a number with two decimals (`0.21`), in hundredths: a whole number keeps the decimals exact.
    mutating func hundredths(in text: Span<UInt8>) -> UInt64? {
        skipBlanks(in: text)
        guard let whole = digits(in: text), skip(".", in: text) else { return nil }
        let start = index
        guard let fraction = digits(in: text), index - start == 2, isAtFieldEnd(in: text) else { return nil }
        let (hundreds, isTooLarge) = whole.multipliedReportingOverflow(by: 100)
        let (sum, isTooLargeToo) = hundreds.addingReportingOverflow(fraction)
        return isTooLarge || isTooLargeToo ? nil : sum
    }

    mutating func skipDigits(in text: Span<UInt8>) {
        while index < text.count, text[index] >= UInt8(ascii: "0"), text[index] <= UInt8(ascii: "9") { index += 1 }
    }

    private mutating func digits(in text: Span<UInt8>) -> UInt64? {
        let start = index
        var value: UInt64 = 0
        while index < text.count, text[index] >= UInt8(ascii: "0"), text[index] <= UInt8(ascii: "9") {
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooLargeToo) = tens.addingReportingOverflow(UInt64(text[index] - UInt8(ascii: "0")))
            if isTooLarge || isTooLargeToo { return nil }
            value = sum
            index += 1
        }
        return index > start ? value : nil
    }

    private func isAtFieldEnd(in text: Span<UInt8>) -> Bool { index == text.count || text[index] <= UInt8(ascii: " ") }

    private mutating func skipBlanks(in text: Span<UInt8>) {
        while index < text.count, text[index] == UInt8(ascii: " ") || text[index] == UInt8(ascii: "\t") { index += 1 }
    }
}

extension Span<UInt8> {
    /// The bytes of a field, for keeping.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        for index in range { bytes.append(self[index]) }
        return bytes
    }

    /// Whether the field is exactly these bytes.
    func holds(_ bytes: [UInt8], at range: Range<Int>) -> Bool {
        guard bytes.count == range.count else { return false }
        for offset in 0..<bytes.count where self[range.lowerBound + offset] != bytes[offset] { return false }
        return true
    }
}
