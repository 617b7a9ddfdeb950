/// How often each token came, and which came at all. Taken once a block and emptied between its uses.
final class TokenTally {
    private let counts: UnsafeMutablePointer<UInt32>
    /// Tokens that came, in the order in which they came first.
    private let order: UnsafeMutablePointer<UInt8>
    /// How many different ones came.
    private(set) var distinct = 0
    private(set) var total = 0
    /// What follows the tokens.
    private(set) var rawBits = 0

    init() {
        counts = .allocate(capacity: Token.count)
        counts.initialize(repeating: 0, count: Token.count)
        order = .allocate(capacity: Token.count)
        order.initialize(repeating: 0, count: Token.count)
    }

    deinit {
        counts.deallocate()
        order.deallocate()
    }

    func removeAll() {
        for place in 0..<distinct { counts[Int(order[place])] = 0 }
        (distinct, total, rawBits) = (0, 0, 0)
    }

    /// Adds the tokens of residuals, and writes them where it is told to.
    @inline(__always) func add(_ residuals: UnsafePointer<Int64>, count: Int, to tokens: UnsafeMutablePointer<UInt8>?) {
        for index in 0..<count {
            let token = Token.of(residuals[index])
            if let tokens { tokens[index] = token }
            add(token)
        }
        total &+= count
    }

    @inline(__always) private func add(_ token: UInt8) {
        let times = counts[Int(token)]
        if times == 0 {
            order[distinct] = token
            distinct &+= 1
        }
        counts[Int(token)] = times &+ 1
        if token >= Token.firstWithBits { rawBits &+= Token.bitCount(token) }
    }

    /// Whether only zeros came.
    var isZero: Bool { distinct == 0 || (distinct == 1 && order[0] == 0) }

    /// The last token that came.
    var last: Int {
        var last = 0
        for place in 0..<distinct { last = max(last, Int(order[place])) }
        return last
    }

    subscript(_ token: Int) -> UInt32 { counts[token] }

    /// What the tokens cost with a table, in 64ths of a bit, or nil when it lacks one of them.
    func cost(_ costs: [UInt16]) -> Int? {
        var cost = 0
        for place in 0..<distinct {
            let price = costs[Int(order[place])]
            guard price != TokenCosts.impossible else { return nil }
            cost += Int(counts[Int(order[place])]) * Int(price)
        }
        return cost
    }

    /// What the cheapest built-in table costs; where none has all of the tokens, about what one of their own does.
    var builtInCost: Int {
        var least = Int.max
        for costs in TokenCosts.builtIn { if let cost = cost(costs), cost < least { least = cost } }
        return least < .max ? least : idealCost + distinct * 16 * TokenCosts.unit
    }

    /// What the ideal table costs, but for writing it down.
    var idealCost: Int {
        let whole = TokenCosts.logarithm(total)
        var cost = 0
        for place in 0..<distinct {
            let times = Int(counts[Int(order[place])])
            cost += times * (whole - TokenCosts.logarithm(times))
        }
        return cost
    }
}
