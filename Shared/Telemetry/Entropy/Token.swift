/// The alphabet of the entropy coder: a residual's sign and size. Magnitudes below 16 have tokens of their own; above, a token names the
/// power of two below the magnitude, and the bits under its leading one follow as they are.
enum Token {
    /// 0, then +1, −1, +2, −2 … +15, −15, then + and − for each power of two from 2⁴ to 2⁶³.
    static let count = 151
    /// From this token on, raw bits follow.
    static let firstWithBits: UInt8 = 31

    @inline(__always) static func of(_ residual: Int64) -> UInt8 {
        let magnitude = residual.magnitude
        // 75 is 12 + 63: the power of two 2ⁿ is bucket 12 + n.
        let bucket = magnitude < 16 ? Int(truncatingIfNeeded: magnitude) : 75 &- magnitude.leadingZeroBitCount
        return UInt8(truncatingIfNeeded: residual > 0 ? 2 &* bucket &- 1 : 2 &* bucket)
    }

    /// How many raw bits follow a token that is at least `firstWithBits`: the power of two.
    @inline(__always) static func bitCount(_ token: UInt8) -> Int { (Int(token) &+ 1) &>> 1 &- 12 }

    @inline(__always) static func residual(_ token: UInt8, bits: UInt64, bitCount: Int) -> Int64 {
        let magnitude = Int64(bitPattern: (1 &<< UInt64(truncatingIfNeeded: bitCount)) | bits)
        return token & 1 == 1 ? magnitude : 0 &- magnitude
    }

    /// The residual of a token below `firstWithBits`.
    @inline(__always) static func residual(_ token: UInt8) -> Int64 {
        let bucket = Int64(token &+ 1) &>> 1
        return token & 1 == 1 ? bucket : 0 &- bucket
    }
}
