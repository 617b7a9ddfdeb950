/// Values as integers and back.
enum ColumnIntegers {
    /// Powers of ten that are exact as a Double, one for each exponent.
    static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]

    /// Below this magnitude adding and taking away `rounder` rounds to an integer.
    private static let integerMax = 2_251_799_813_685_248.0  // 2⁵¹
    private static let rounder = 6_755_399_441_055_744.0  // 1.5 × 2⁵²
    /// So many values may be exceptions before the column is said to be no decimals: these, and one of every four.
    private static let exceptionsAllowed = 4

    /// Fills `integers`, and tells what they are. Exceptions have the integer of the value before, which costs nothing.
    static func encode(
        _ values: UnsafeBufferPointer<Double>, into integers: UnsafeMutablePointer<Int64>
    ) -> (form: ColumnPlan.Form, exceptions: [ColumnPlan.Exception]) {
        var exponent = 0
        while true {
            switch decimals(values, exponent, into: integers) {
            case .all(let exceptions): return (.decimal(exponent: exponent), exceptions)
            case .finer(let finer): exponent = finer
            case .tooManyExceptions:
                for index in 0..<values.count { integers[index] = Int64(bitPattern: values[index].bitPattern) }
                return (.bits, [])
            }
        }
    }

    private enum Attempt {
        /// Every value has its integer but for these.
        case all([ColumnPlan.Exception])
        /// A value needs this exponent.
        case finer(Int)
        case tooManyExceptions
    }

    private static func decimals(_ values: UnsafeBufferPointer<Double>, _ exponent: Int, into integers: UnsafeMutablePointer<Int64>) -> Attempt {
        var exceptions: [ColumnPlan.Exception] = []
        let power = powers[exponent]
        var last: Int64 = 0
        var index = 0
        while true {
            // The many that are integers, without a look at the others.
            index = exponent == 0 ? wholes(values, index, into: integers) : decimals(values, power, index, into: integers)
            guard index < values.count else { break }
            if index > 0 { last = integers[index - 1] }
            if let finer = finer(exponent, for: values[index]) { return .finer(finer) }
            exceptions.append(ColumnPlan.Exception(index: index, bitPattern: values[index].bitPattern))
            if exceptions.count > exceptionsAllowed + index / 4 { return .tooManyExceptions }
            integers[index] = last
            index += 1
        }
        // Most of a short column may be exceptions, which bit patterns serve better.
        guard exceptions.count <= values.count / 2 else { return .tooManyExceptions }
        // Those in front of the first integer have it too.
        var first = 0
        while first < exceptions.count, exceptions[first].index == first { first += 1 }
        if first < values.count { for index in 0..<first { integers[index] = integers[first] } }
        return .all(exceptions)
    }

    /// Writes integers from an index on, up to the first value that is none; where that is.
    private static func wholes(_ values: UnsafeBufferPointer<Double>, _ start: Int, into integers: UnsafeMutablePointer<Int64>) -> Int {
        for index in start..<values.count {
            let value = values[index]
            guard value.magnitude < integerMax else { return index }
            let integer = Int64(value)
            guard Double(integer).bitPattern == value.bitPattern else { return index }
            integers[index] = integer
        }
        return values.count
    }

    private static func decimals(
        _ values: UnsafeBufferPointer<Double>, _ power: Double, _ start: Int, into integers: UnsafeMutablePointer<Int64>
    ) -> Int {
        for index in start..<values.count {
            guard let integer = integer(values[index], over: power) else { return index }
            integers[index] = integer
        }
        return values.count
    }

    /// The least greater exponent that makes an integer of a value.
    private static func finer(_ exponent: Int, for value: Double) -> Int? {
        var finer = exponent + 1
        while finer <= ColumnPlan.Form.exponentMax {
            if integer(value, over: powers[finer]) != nil { return finer }
            finer += 1
        }
        return nil
    }

    /// The integer that gives exactly this value, to the bit, when it is divided by the power.
    @inline(__always) static func integer(_ value: Double, over power: Double) -> Int64? {
        let rounded = (value * power + rounder) - rounder
        guard rounded.magnitude < integerMax, (rounded / power).bitPattern == value.bitPattern else { return nil }
        return Int64(rounded)
    }

    static func decode(_ integers: UnsafePointer<Int64>, _ plan: ColumnPlan, count: Int) -> [Double] {
        [Double](unsafeUninitializedCapacity: count) { values, initialized in
            switch plan.form {
            case .bits: for index in 0..<count { values[index] = Double(bitPattern: UInt64(bitPattern: integers[index])) }
            case .decimal(exponent: 0): for index in 0..<count { values[index] = Double(integers[index]) }
            case .decimal(let exponent):
                let power = powers[exponent]
                for index in 0..<count { values[index] = Double(integers[index]) / power }
            }
            for exception in plan.exceptions { values[exception.index] = Double(bitPattern: exception.bitPattern) }
            initialized = count
        }
    }
}
