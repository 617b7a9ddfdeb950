/// Writes a block: header, timestamps' plan, schema, columns' plans, and then the tokens and raw bits of all of them.
struct BlockEncoder {
    private var writer: ByteWriter
    private var plans = ByteWriter()
    private var schema = SchemaWriter()
    /// The tokens of all columns, and how many there are so far.
    private let tokens: UnsafeMutablePointer<UInt8>
    private var tokenCount = 0
    private var runs: [EntropyEncoder.Run] = []
    private var bits = BitWriter()
    /// The last table that was written out, and what its tokens cost.
    private var ownTable: (table: FrequencyTable, costs: [UInt16])?
    private let work: ColumnWork
    private let header: BlockHeader
    private let tally = TokenTally()

    static func encode(_ block: Block) -> [UInt8] {
        var encoder = BlockEncoder(block)
        defer { encoder.tokens.deallocate() }
        encoder.addTimestamps(block.timestamps)
        encoder.addColumns(block)
        return encoder.finish()
    }

    private init(_ block: Block) {
        header = BlockHeader(block)
        work = ColumnWork(capacity: block.timestamps.count)
        writer = ByteWriter(capacity: 256 + header.samples)
        tokens = .allocate(capacity: header.samples + header.ticks)
        header.write(into: &writer)
    }

    private mutating func addTimestamps(_ timestamps: [Int64]) {
        for (index, timestamp) in timestamps.enumerated() { work.integers[index] = timestamp &- header.oldest }
        var plan = ColumnPlan(form: .decimal(exponent: 0))
        addResiduals(&plan, of: timestamps.count, implied: header.interval, areDecimals: false, mayRefer: false)
        writer.byte(plan.tag(presence: Presence.everywhere))
        append(plan, into: &writer)
    }

    private mutating func addColumns(_ block: Block) {
        var presence: [Bool]?
        var referenceForm: ColumnPlan.Form?
        var referenceCount = 0
        for column in block.columns {
            schema.add(column.series)
            var plan = ColumnPlan(form: .bits)
            if let constant = constant(column.values) {
                plan = constant
                referenceForm = nil
            } else {
                swap(&work.integers, &work.reference)
                column.values.withUnsafeBufferPointer { (plan.form, plan.exceptions) = ColumnIntegers.encode($0, into: work.integers) }
                let count = column.values.count
                let mayRefer = referenceForm == plan.form && referenceCount == count
                addResiduals(&plan, of: count, implied: 0, areDecimals: plan.form != .bits, mayRefer: mayRefer)
                (referenceForm, referenceCount) = (plan.form, count)
            }
            writePresence(of: column, plan, &presence)
            append(plan, into: &plans)
        }
    }

    private func constant(_ values: [Double]) -> ColumnPlan? {
        let first = values[0]
        for value in values where value.bitPattern != first.bitPattern { return nil }
        var plan = ColumnPlan(form: .bits, isConstant: true, base: Int64(bitPattern: first.bitPattern))
        for (exponent, power) in ColumnIntegers.powers.enumerated() {
            guard let integer = ColumnIntegers.integer(first, over: power) else { continue }
            plan.form = .decimal(exponent: exponent)
            plan.base = integer
            break
        }
        return plan
    }

    private mutating func writePresence(of column: Block.Column, _ plan: ColumnPlan, _ last: inout [Bool]?) {
        guard let presence = column.presence else {
            plans.byte(plan.tag(presence: Presence.everywhere))
            return
        }
        guard presence != last else {
            plans.byte(plan.tag(presence: Presence.same))
            return
        }
        last = presence
        let (form, bytes) = Presence.encode(presence)
        plans.byte(plan.tag(presence: form))
        plans.append(bytes)
    }

    private func append(_ plan: ColumnPlan, into writer: inout ByteWriter) {
        plan.write(into: &writer)
        if case .own = plan.table, let ownTable { ownTable.table.write(into: &writer) }
    }

    // MARK: Residuals

    /// Chooses a predictor for the integers, and adds the tokens and bits of what it leaves.
    private mutating func addResiduals(_ plan: inout ColumnPlan, of count: Int, implied: Int64, areDecimals: Bool, mayRefer: Bool) {
        guard count > 1 else {
            plan.isConstant = true
            plan.base = work.integers[0]
            return
        }
        var choice = PredictorChoice(of: work.integers, count: count, areDecimals: areDecimals, implied: implied, tally: tally, work: work)
        if mayRefer, choice.cost > 0 {
            for index in 0..<count { work.differences[index] = work.integers[index] &- work.reference[index] }
            let other = PredictorChoice(
                of: work.differences, count: count, areDecimals: areDecimals, implied: 0, bound: choice.cost, tally: tally, work: work)
            if other.cost < choice.cost {
                choice = other
                plan.hasReference = true
            }
        }
        var predictor = choice.predictor
        let integers = plan.hasReference ? work.differences : work.integers
        if !predictor.residuals(of: integers, count: count, into: work.residuals) {
            predictor.scale = 1
            _ = predictor.residuals(of: integers, count: count, into: work.residuals)
        }
        plan.order = predictor.order
        plan.base = predictor.base
        plan.slope = predictor.slope == implied ? nil : predictor.slope
        addTokens(&plan, count - predictor.order)
        plan.scale = tally.isZero ? 1 : predictor.scale
    }

    private mutating func addTokens(_ plan: inout ColumnPlan, _ count: Int) {
        tally.removeAll()
        tally.add(work.residuals, count: count, to: tokens + tokenCount)
        guard !tally.isZero else { return }
        if tally.rawBits > 0 {
            for index in 0..<count where tokens[tokenCount + index] >= Token.firstWithBits {
                let bitCount = Token.bitCount(tokens[tokenCount + index])
                bits.write(work.residuals[index].magnitude & ((1 << UInt64(bitCount)) - 1), count: bitCount)
            }
        }
        runs.append(EntropyEncoder.Run(tokens: tokenCount..<tokenCount + count, table: chooseTable(&plan)))
        tokenCount += count
    }

    // MARK: Tables

    private mutating func chooseTable(_ plan: inout ColumnPlan) -> FrequencyTable {
        var table: FrequencyTable?
        var least = Int.max
        for index in 0..<BuiltInTables.count {
            guard let cost = tally.cost(TokenCosts.builtIn[index]), cost < least else { continue }
            least = cost
            table = BuiltInTables.tables[index]
            plan.table = .builtIn(index)
        }
        if let ownTable, let cost = tally.cost(ownTable.costs), cost <= least {
            least = cost
            table = ownTable.table
            plan.table = .same
        }
        // A table of its own takes a byte a token at least.
        if let table, tally.idealCost + tally.distinct * 8 * TokenCosts.unit >= least { return table }
        let own = FrequencyTable(tally)
        let costs = TokenCosts.costs(of: own)
        if let table, (tally.cost(costs) ?? 0) + own.byteCount * 8 * TokenCosts.unit >= least { return table }
        ownTable = (own, costs)
        plan.table = .own(place: 0)
        return own
    }

    // MARK: The end

    private mutating func finish() -> [UInt8] {
        schema.write(into: &writer)
        writer.append(plans.bytes)
        guard !runs.isEmpty else { return writer.bytes }
        let (states, words) = EntropyEncoder.encode(runs, tokens: tokens, lanes: EntropyEncoder.lanes(samples: header.samples))
        writer.varint(UInt64(words.count))
        for state in states { writer.uint32(state) }
        for word in words {
            writer.byte(UInt8(truncatingIfNeeded: word))
            writer.byte(UInt8(truncatingIfNeeded: word >> 8))
        }
        writer.append(bits.finish())
        return writer.bytes
    }
}

extension Block {
    package func encoded() -> [UInt8] { BlockEncoder.encode(self) }
}
