/// All chance of one simulation: the same numbers for the same seed. Splitmix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
final class SeededRandom {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    func between(_ range: ClosedRange<Int64>) -> Int64 { range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1)) }
    func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    func chance(_ probability: Double) -> Bool { Double(next() >> 11) / Double(1 << 53) < probability }
    func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

    /// A generator of its own, so that what one part asks for does not change what another gets.
    func fork() -> SeededRandom { SeededRandom(next()) }
}
