/// Reads tokens that `EntropyEncoder` wrote, from the first to the last.
struct EntropyDecoder {
    private var states: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private let lanes: Int
    /// Words of 16 bits, at any address.
    private let words: UnsafeRawPointer
    private let wordCount: Int
    private var next = 0

    /// The words stay where they are for as long as this is used; `states` are as many as there are lanes.
    init(states: [UInt32], words: UnsafeRawPointer, wordCount: Int) {
        lanes = states.count
        self.words = words
        self.wordCount = wordCount
        self.states.0 = states[0]
        if lanes == EntropyEncoder.lanesMax { (self.states.1, self.states.2, self.states.3) = (states[1], states[2], states[3]) }
    }

    /// Nothing is left, and every state is back where the writer began: damage shows here.
    var isAtEnd: Bool {
        let begin = EntropyEncoder.stateMin
        guard next == wordCount, states.0 == begin else { return false }
        return lanes == 1 || (states.1 == begin && states.2 == begin && states.3 == begin)
    }

    /// Fills `tokens`; false when the words do not suffice.
    mutating func decode(_ table: UnsafeBufferPointer<UInt32>, into tokens: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        lanes == 1 ? decodeOneLane(table, into: tokens) : decodeFourLanes(table, into: tokens)
    }

    private mutating func decodeOneLane(_ table: UnsafeBufferPointer<UInt32>, into tokens: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        var state = states.0
        var next = next
        for index in 0..<tokens.count {
            guard let token = step(&state, table, &next) else { return false }
            tokens[index] = token
        }
        states.0 = state
        self.next = next
        return true
    }

    private mutating func decodeFourLanes(_ table: UnsafeBufferPointer<UInt32>, into tokens: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        var (zero, one, two, three) = states
        var next = next
        let count = tokens.count
        var index = 0
        // A token takes one word at most, so four words for every four tokens are looked for once.
        while index &+ 4 <= count, next &+ 4 <= wordCount {
            tokens[index] = uncheckedStep(&zero, table, &next)
            tokens[index &+ 1] = uncheckedStep(&one, table, &next)
            tokens[index &+ 2] = uncheckedStep(&two, table, &next)
            tokens[index &+ 3] = uncheckedStep(&three, table, &next)
            index &+= 4
        }
        while index < count {
            let token: UInt8?
            switch index & 3 {
            case 0: token = step(&zero, table, &next)
            case 1: token = step(&one, table, &next)
            case 2: token = step(&two, table, &next)
            default: token = step(&three, table, &next)
            }
            guard let token else { return false }
            tokens[index] = token
            index &+= 1
        }
        states = (zero, one, two, three)
        self.next = next
        return true
    }

    /// One token, or nil when a word is wanted and there is none.
    @inline(__always) private func step(_ state: inout UInt32, _ table: UnsafeBufferPointer<UInt32>, _ next: inout Int) -> UInt8? {
        let entry = table[Int(state & (FrequencyTable.total &- 1))]
        state = (entry &>> 8 & 0x7FF) &* (state &>> FrequencyTable.scaleBits) &+ entry &>> 19
        if state < EntropyEncoder.stateMin {
            guard next < wordCount else { return nil }
            state = state &<< 16 | word(next)
            next &+= 1
        }
        return UInt8(truncatingIfNeeded: entry)
    }

    @inline(__always) private func uncheckedStep(_ state: inout UInt32, _ table: UnsafeBufferPointer<UInt32>, _ next: inout Int) -> UInt8 {
        let entry = table[Int(state & (FrequencyTable.total &- 1))]
        state = (entry &>> 8 & 0x7FF) &* (state &>> FrequencyTable.scaleBits) &+ entry &>> 19
        if state < EntropyEncoder.stateMin {
            state = state &<< 16 | word(next)
            next &+= 1
        }
        return UInt8(truncatingIfNeeded: entry)
    }

    @inline(__always) private func word(_ index: Int) -> UInt32 {
        UInt32(UInt16(littleEndian: words.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)))
    }
}
