/// Looks for the predictor whose residuals cost the fewest bits, on a part of the column when it is long.
struct PredictorChoice {
    /// Of a longer column, `windows` windows of `windowCount` residuals are looked at.
    private static let wholeMax = 128
    private static let windows = 4
    private static let windowCount = 32
    /// Values that a median is taken of.
    private static let medianCount = 31

    private let integers: UnsafePointer<Int64>
    private let count: Int
    private let scale: Int64
    /// The slope that costs nothing.
    private let implied: Int64
    private let tally: TokenTally
    private let work: ColumnWork

    private(set) var predictor: Predictor
    /// What its residuals cost, in 64ths of a bit.
    private(set) var cost = Int.max

    /// The best predictor of at least two integers. Only decimals may have any scale: where sums wrap, only a power of two stays a divisor.
    ///
    /// What is to cost less than `bound` is given up when its plain differences don't.
    init(
        of integers: UnsafePointer<Int64>, count: Int, areDecimals: Bool, implied: Int64, bound: Int = .max, tally: TokenTally, work: ColumnWork
    ) {
        self.integers = integers
        self.count = count
        self.implied = implied
        self.tally = tally
        self.work = work
        scale = areDecimals ? Self.divisor(of: integers, count) : Self.powerOfTwo(of: integers, count)
        predictor = Predictor(order: 1, base: integers[0], slope: implied, scale: scale)
        consider(1, integers[0], implied)
        guard cost > 0, cost < bound else { return }
        if implied != 0 { consider(1, integers[0], 0) }
        if cost > 0, count > 2 { tryOthers() }
    }

    private mutating func tryOthers() {
        let step = median(1..<count) { integers[$0] &- integers[$0 &- 1] }
        if step != implied, step != 0 { consider(1, integers[0], step) }
        consider(0, median(0..<count) { integers[$0] }, 0)
        let line = (integers[count - 1] &- integers[0]) / Int64(count - 1) / scale &* scale
        if line != 0 { consider(0, median(0..<count) { integers[$0] &- line &* Int64($0) }, line) }
        if step != 0, step != line, count <= Self.wholeMax { consider(0, median(0..<count) { integers[$0] &- step &* Int64($0) }, step) }
        consider(2, integers[0], integers[1] &- integers[0])
    }

    private mutating func consider(_ order: Int, _ base: Int64, _ slope: Int64) {
        let candidate = Predictor(order: order, base: base, slope: slope, scale: scale)
        let parameter = slope == implied ? 0 : ByteWriter.signedByteCount(slope) * 8 * TokenCosts.unit
        let price = price(candidate) + parameter
        if price < cost { (predictor, cost) = (candidate, price) }
    }

    // MARK: What residuals cost

    /// The price of all residuals, from those looked at.
    private func price(_ candidate: Predictor) -> Int {
        tally.removeAll()
        if count <= Self.wholeMax {
            gather(candidate, candidate.order..<count)
            return tally.isZero ? 0 : tally.builtInCost + tally.rawBits * TokenCosts.unit
        }
        for window in 0..<Self.windows {
            let start = 2 + (count - 2 - Self.windowCount) * window / (Self.windows - 1)
            gather(candidate, start..<start + Self.windowCount)
        }
        // More than 32 bits before it is divided.
        let found = Int64(tally.idealCost + tally.rawBits * TokenCosts.unit)
        return Int(found * Int64(count - candidate.order) / Int64(tally.total))
    }

    private func gather(_ candidate: Predictor, _ window: Range<Int>) {
        candidate.differences(of: integers, window, into: work.residuals)
        if scale != 1 { for place in 0..<window.count { work.residuals[place] /= scale } }
        tally.add(work.residuals, count: window.count, to: nil)
    }

    // MARK: Parameters

    /// The greatest number that all differences are multiples of, when telling it costs less than it saves.
    private static func divisor(of integers: UnsafePointer<Int64>, _ count: Int) -> Int64 {
        var divisor: UInt64 = 0
        var changes = 0
        for index in 1..<count {
            var rest = (integers[index] &- integers[index &- 1]).magnitude
            guard rest != 0 else { continue }
            changes += 1
            while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
            if divisor == 1 { return 1 }
        }
        return worthwhile(divisor, changes)
    }

    private static func powerOfTwo(of integers: UnsafePointer<Int64>, _ count: Int) -> Int64 {
        var all: UInt64 = 0
        var changes = 0
        for index in 1..<count {
            let difference = UInt64(bitPattern: integers[index] &- integers[index &- 1])
            all |= difference
            if all & 1 == 1 { return 1 }
            if difference != 0 { changes += 1 }
        }
        // The greatest is 2⁶², as a scale is a positive number.
        return worthwhile(all == 0 ? 0 : 1 << UInt64(min(62, all.trailingZeroBitCount)), changes)
    }

    /// Each change is shorter by the bits of the scale, which itself takes 7 of them a byte.
    private static func worthwhile(_ divisor: UInt64, _ changes: Int) -> Int64 {
        let bits = 63 - (divisor | 1).leadingZeroBitCount
        return changes * bits > (bits / 7 + 1) * 8 ? Int64(divisor) : 1
    }

    /// The median of up to 31 values, evenly spread.
    private func median(_ range: Range<Int>, _ value: (Int) -> Int64) -> Int64 {
        let taken = min(range.count, Self.medianCount)
        let sorted = work.residuals
        for place in 0..<taken {
            let one = value(range.lowerBound &+ (taken > 1 ? (range.count &- 1) &* place / (taken &- 1) : 0))
            var position = place
            while position > 0, sorted[position &- 1] > one {
                sorted[position] = sorted[position &- 1]
                position &-= 1
            }
            sorted[position] = one
        }
        return sorted[taken / 2]
    }
}
