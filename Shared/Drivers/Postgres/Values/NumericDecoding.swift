/// Reads numeric, which sums and averages of bigint come as: digits to base 10,000, `numeric_send`.
enum NumericDecoding {
    private struct Parts {
        /// The first digit's power of 10,000.
        let weight: Int
        let isNegative: Bool
        let digits: [Int64]
    }

    private static let positive: UInt16 = 0x0000
    private static let negative: UInt16 = 0x4000

    /// nil when it has a fraction, does not fit, or is not a number.
    static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        guard let parts = parts(bytes) else { return nil }
        var value: Int64 = 0
        for position in 0...max(parts.weight, parts.digits.count - 1, 0) {
            let digit = position < parts.digits.count ? parts.digits[position] : 0
            if position > parts.weight {
                guard digit == 0 else { return nil }
                continue
            }
            let (scaled, overflows) = value.multipliedReportingOverflow(by: 10_000)
            let (sum, overflowsToo) = parts.isNegative ? scaled.subtractingReportingOverflow(digit) : scaled.addingReportingOverflow(digit)
            guard !overflows, !overflowsToo else { return nil }
            value = sum
        }
        return value
    }

    /// The nearest double, through its decimal form; nil for what is not a number.
    static func double(_ bytes: UnsafeRawBufferPointer) -> Double? {
        guard let parts = parts(bytes) else { return nil }
        var text = parts.isNegative ? "-0" : "0"
        for digit in parts.digits { text += String(String(digit + 10_000).dropFirst()) }
        return Double(text + "e" + String((parts.weight - parts.digits.count + 1) * 4))
    }

    private static func parts(_ bytes: UnsafeRawBufferPointer) -> Parts? {
        var reader = WireReader(bytes)
        guard let count = reader.next(Int16.self), count >= 0, let weight = reader.next(Int16.self), let sign = reader.next(UInt16.self),
            sign == positive || sign == negative, reader.next(UInt16.self) != nil
        else { return nil }
        var digits: [Int64] = []
        for _ in 0..<count {
            guard let digit = reader.next(Int16.self), (0..<10_000).contains(digit) else { return nil }
            digits.append(Int64(digit))
        }
        return reader.isAtEnd ? Parts(weight: Int(weight), isNegative: sign == negative, digits: digits) : nil
    }
}
