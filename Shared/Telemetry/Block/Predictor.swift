/// What a column's integers are expected to be. What they differ by from it, divided by `scale`, are the residuals. Sums wrap at 64 bits.
struct Predictor {
    /// 0: integers near the line base + slope × index. 1: differences near slope. 2: differences near the ones before, the first being slope.
    var order: Int
    var base: Int64
    var slope: Int64
    var scale: Int64

    /// What the integers at some indices, at least `order`, differ by from what is expected.
    func differences(of integers: UnsafePointer<Int64>, _ indices: Range<Int>, into differences: UnsafeMutablePointer<Int64>) {
        let start = indices.lowerBound
        let place = differences - start
        switch order {
        case 0: for index in indices { place[index] = integers[index] &- base &- slope &* Int64(truncatingIfNeeded: index) }
        case 1: for index in indices { place[index] = integers[index] &- integers[index &- 1] &- slope }
        default: for index in indices { place[index] = integers[index] &- 2 &* integers[index &- 1] &+ integers[index &- 2] }
        }
    }

    /// Writes the `count − order` residuals; false when one is no multiple of the scale.
    func residuals(of integers: UnsafePointer<Int64>, count: Int, into residuals: UnsafeMutablePointer<Int64>) -> Bool {
        differences(of: integers, order..<count, into: residuals)
        guard scale != 1 else { return true }
        for index in 0..<count - order {
            let (quotient, remainder) = residuals[index].quotientAndRemainder(dividingBy: scale)
            guard remainder == 0 else { return false }
            residuals[index] = quotient
        }
        return true
    }

    /// Turns residuals, `count − order` of them from `integers[order]` on, into the integers.
    func integrate(_ integers: UnsafeMutablePointer<Int64>, count: Int) {
        if scale != 1 { for index in order..<count { integers[index] = integers[index] &* scale } }
        switch order {
        case 0:
            var line = base
            for index in 0..<count {
                integers[index] = integers[index] &+ line
                line = line &+ slope
            }
        case 1:
            var integer = base
            integers[0] = base
            for index in 1..<count {
                integer = integer &+ slope &+ integers[index]
                integers[index] = integer
            }
        default:
            var integer = base &+ slope
            var step = slope
            integers[0] = base
            integers[1] = integer
            for index in 2..<max(2, count) {
                step = step &+ integers[index]
                integer = integer &+ step
                integers[index] = integer
            }
        }
    }
}
