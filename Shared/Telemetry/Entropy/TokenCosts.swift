/// What tokens cost, in 64ths of a bit, for a writer that has to choose.
enum TokenCosts {
    static let unit = 64

    /// 64 × log₂ of 0 … 1,024; of 0 as of 1.
    private static let logarithms: [UInt16] = (0...Int(FrequencyTable.total)).map { computed(UInt64(max($0, 1))) }

    /// 64 × log₂ of a number, at least 1.
    static func logarithm(_ number: Int) -> Int {
        number < logarithms.count ? Int(logarithms[number]) : Int(computed(UInt64(number)))
    }

    /// For each built-in table, each token's cost; `impossible` where the table does not have it.
    static let builtIn: [[UInt16]] = BuiltInTables.tables.map { costs(of: $0) }
    static let impossible: UInt16 = 1 << 14

    static func costs(of table: FrequencyTable) -> [UInt16] {
        let whole = UInt16(FrequencyTable.scaleBits) * UInt16(unit)
        return table.frequencies.map { $0 == 0 ? impossible : whole - logarithms[Int($0)] }
    }

    /// The power of two, then six bits by squaring.
    private static func computed(_ number: UInt64) -> UInt16 {
        let power = 63 - number.leadingZeroBitCount
        var result = UInt16(power)
        // The number over its power of two, from 1 up to 2, with 31 bits behind the point.
        var mantissa = power > 31 ? number >> UInt64(power - 31) : number << UInt64(31 - power)
        for _ in 0..<6 {
            mantissa = (mantissa * mantissa) >> 31
            result <<= 1
            if mantissa >= 1 << 32 {
                mantissa >>= 1
                result |= 1
            }
        }
        return result
    }
}
