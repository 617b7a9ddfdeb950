/// The splitmix64 generator (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014): the same values for the same seed.
package struct SplitMix {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    package mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

    /// The generator's output function: any two numbers that differ in a bit give numbers that differ in half of them.
    static func mixed(_ state: UInt64) -> UInt64 {
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
