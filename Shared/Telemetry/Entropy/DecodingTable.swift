/// A frequency table turned round: what stands at each of the 1,024 slots.
struct DecodingTable {
    /// For each slot the token (8 bits), its frequency (11 bits), the slot's place in the token's range (10 bits).
    let slots: [UInt32]
    /// Whether a token is in it that raw bits follow.
    let hasBits: Bool

    init(_ table: FrequencyTable) {
        hasBits = table.last >= Int(Token.firstWithBits)
        slots = [UInt32](unsafeUninitializedCapacity: Int(FrequencyTable.total)) { slots, initialized in
            var slot = 0
            for token in 0...table.last {
                let frequency = Int(table.frequencies[token])
                var entry = UInt32(token) | UInt32(frequency) << 8
                for place in slot..<slot + frequency {
                    slots[place] = entry
                    entry &+= 1 << 19
                }
                slot += frequency
            }
            initialized = slot
        }
    }
}
