/// Shares of a whole, 0…1.
///
/// A value keeps the decimals that its source really has, no more: a ratio four, a temperature three, a load two. Such numbers are
/// whole multiples of a power of ten, which a block's columns store as small integers; noise behind them would cost 52 bits a sample.
enum Ratio {
    /// `part / whole` rounded to 1e-4; a part larger than the whole is the whole, and a whole of nothing has no share.
    static func of(_ part: Double, _ whole: Double) -> Double? {
        guard whole > 0, part >= 0, part.isFinite, whole.isFinite else { return nil }
        return Double(Int(min(part / whole, 1) * 10_000 + 0.5)) / 10_000
    }
}
