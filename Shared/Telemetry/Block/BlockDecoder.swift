/// Reads a block. Everything in front of the tokens is read and checked first; then the columns are unfolded one after the other.
struct BlockDecoder {
    private let header: BlockHeader
    private let bytes: ArraySlice<UInt8>
    private var timestamps = ColumnPlan(form: .decimal(exponent: 0))
    private var series: [Series] = []
    private var plans: [ColumnPlan] = []
    /// Each column's presence: an index into `presences`, or nil when it has a value at every tick.
    private var presenceOf: [Int?] = []
    private var presences: [(ticks: [Bool], count: Int)] = []

    static func decode(_ bytes: ArraySlice<UInt8>) throws(DecodingError) -> Block {
        var reader = ByteReader(bytes)
        var decoder = try BlockDecoder(bytes, &reader)
        return try decoder.unfold(&reader)
    }

    // MARK: In front of the tokens

    private init(_ bytes: ArraySlice<UInt8>, _ reader: inout ByteReader) throws(DecodingError) {
        self.bytes = bytes
        header = try BlockHeader(from: &reader)
        let tag = try reader.byte("block.timestamps")
        timestamps = try ColumnPlan(tag: tag, count: header.ticks, from: &reader)
        guard timestamps.form == .decimal(exponent: 0), !timestamps.hasReference, timestamps.exceptions.isEmpty,
            ColumnPlan.presence(ofTag: tag) == Presence.everywhere
        else { throw DecodingError(.badNumber, "block.timestamps") }
        series = try SchemaReader.series(header.columns, from: &reader)
        try readPlans(&reader)
    }

    private mutating func readPlans(_ reader: inout ByteReader) throws(DecodingError) {
        plans.reserveCapacity(header.columns)
        var samples = 0
        for _ in 0..<header.columns {
            let tag = try reader.byte("block.encoding")
            let presence = try readPresence(ColumnPlan.presence(ofTag: tag), &reader)
            presenceOf.append(presence)
            let count = presence.map { presences[$0].count } ?? header.ticks
            plans.append(try ColumnPlan(tag: tag, count: count, from: &reader))
            samples += count
        }
        guard samples == header.samples else { throw DecodingError(.badNumber, "block.samples") }
    }

    private mutating func readPresence(_ form: UInt8, _ reader: inout ByteReader) throws(DecodingError) -> Int? {
        if form == Presence.everywhere { return nil }
        if form != Presence.same {
            let ticks = try Presence.decode(form, ticks: header.ticks, from: &reader)
            var count = 0
            for isPresent in ticks where isPresent { count += 1 }
            presences.append((ticks, count))
        }
        guard !presences.isEmpty else { throw DecodingError(.badNumber, "block.presence") }
        return presences.count - 1
    }

    private func count(_ column: Int) -> Int { presenceOf[column].map { presences[$0].count } ?? header.ticks }

    // MARK: Tokens

    private mutating func unfold(_ reader: inout ByteReader) throws(DecodingError) -> Block {
        guard hasTokens else {
            guard reader.isAtEnd else { throw DecodingError(.trailingBytes, "block") }
            return try unfold(nil)
        }
        let wordCount = try reader.count("block.words", max: reader.remaining / 2)
        var states: [UInt32] = []
        for _ in 0..<EntropyEncoder.lanes(samples: header.samples) {
            let state = try reader.uint32("block.states")
            guard state >= EntropyEncoder.stateMin else { throw DecodingError(.badNumber, "block.states") }
            states.append(state)
        }
        let words = try reader.take(wordCount * 2, "block.words")
        let bits = try reader.take(reader.remaining, "block.bits")
        return try unfold(ResidualReader(states: states, words: words, bits: bits, capacity: header.ticks))
    }

    private var hasTokens: Bool {
        if timestamps.hasTokens { return true }
        for plan in plans where plan.hasTokens { return true }
        return false
    }

    private mutating func unfold(_ residuals: ResidualReader?) throws(DecodingError) -> Block {
        let work = ColumnWork(capacity: header.ticks)
        try integers(of: timestamps, count: header.ticks, implied: header.interval, residuals, work)
        let times = try decodedTimestamps(work.integers)
        var columns: [Block.Column] = []
        columns.reserveCapacity(header.columns)
        var reference: (form: ColumnPlan.Form, count: Int)?
        for index in plans.indices {
            let plan = plans[index]
            let count = count(index)
            if plan.isConstant {
                reference = nil
            } else {
                swap(&work.integers, &work.reference)
                if plan.hasReference, reference?.form != plan.form || reference?.count != count {
                    throw DecodingError(.badNumber, "block.reference")
                }
                try integers(of: plan, count: count, implied: 0, residuals, work)
                reference = (plan.form, count)
            }
            columns.append(
                Block.Column(series: series[index], presence: presenceOf[index].map { presences[$0].ticks }, values: values(plan, count, work)))
        }
        if let residuals { try residuals.expectEnd() }
        return Block(timestamps: times, columns: columns)
    }

    private func values(_ plan: ColumnPlan, _ count: Int, _ work: ColumnWork) -> [Double] {
        guard plan.isConstant else { return ColumnIntegers.decode(work.integers, plan, count: count) }
        switch plan.form {
        case .bits: return [Double](repeating: Double(bitPattern: UInt64(bitPattern: plan.base)), count: count)
        case .decimal(let exponent): return [Double](repeating: Double(plan.base) / ColumnIntegers.powers[exponent], count: count)
        }
    }

    /// Fills `work.integers`.
    private func integers(
        of plan: ColumnPlan, count: Int, implied: Int64, _ residuals: ResidualReader?, _ work: ColumnWork
    ) throws(DecodingError) {
        if plan.isConstant {
            for index in 0..<count { work.integers[index] = plan.base }
            return
        }
        let own = UnsafeMutableBufferPointer(start: work.integers + plan.order, count: count - plan.order)
        if plan.hasTokens, let residuals {
            try residuals.read(plan.table, in: bytes, into: own)
        } else {
            own.update(repeating: 0)
        }
        Predictor(order: plan.order, base: plan.base, slope: plan.slope ?? implied, scale: plan.scale).integrate(work.integers, count: count)
        if plan.hasReference { for index in 0..<count { work.integers[index] = work.integers[index] &+ work.reference[index] } }
    }

    private func decodedTimestamps(_ integers: UnsafePointer<Int64>) throws(DecodingError) -> [Int64] {
        var timestamps: [Int64] = []
        timestamps.reserveCapacity(header.ticks)
        var oldest = Int64.max
        var newest = Int64.min
        for index in 0..<header.ticks {
            let timestamp = header.oldest &+ integers[index]
            oldest = min(oldest, timestamp)
            newest = max(newest, timestamp)
            timestamps.append(timestamp)
        }
        guard oldest == header.oldest, newest == header.newest else { throw DecodingError(.badNumber, "block.timestamps") }
        return timestamps
    }
}

extension Block {
    package init(decoding bytes: ArraySlice<UInt8>) throws(DecodingError) { self = try BlockDecoder.decode(bytes) }
}
