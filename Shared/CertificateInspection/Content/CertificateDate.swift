import LinuxDriver

/// A `Time` of RFC 5280, section 4.1.2.5.
package struct CertificateDate: Equatable, Sendable {
    /// Milliseconds since 1970; nil when the field is no date, or not in the one form that is allowed.
    package let milliseconds: Int64?
    /// Years up to 2049 must be a UTCTime; this one is written as a GeneralizedTime.
    package let isInWrongForm: Bool

    init(_ element: DERElement) throws(DERError) {
        let isLong = element.tag == DERReader.Tag.generalizedTime
        guard isLong || element.tag == DERReader.Tag.utcTime else { throw .tag }
        milliseconds = Self.parse(element.content, yearDigits: isLong ? 4 : 2)
        // 2050-01-01.
        isInWrongForm = isLong && (milliseconds ?? .max) < 2_524_608_000_000
    }

    private static func parse(_ bytes: ArraySlice<UInt8>, yearDigits: Int) -> Int64? {
        guard bytes.count == yearDigits + 11, bytes.last == UInt8(ascii: "Z") else { return nil }
        var digits = bytes.dropLast()
        guard digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        func take(_ count: Int) -> Int64 {
            defer { digits = digits.dropFirst(count) }
            return digits.prefix(count).reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        var year = take(yearDigits)
        if yearDigits == 2 { year += year < 50 ? 2000 : 1900 }
        let (month, day, hour, minute, second) = (take(2), take(2), take(2), take(2), take(2))
        guard (1...12).contains(month), day >= 1, day <= length(of: month, in: year), hour < 24, minute < 60, second < 60 else { return nil }
        return ((Timestamp.daysFromCivil(year: year, month: month, day: day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000
    }

    private static func length(of month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}
