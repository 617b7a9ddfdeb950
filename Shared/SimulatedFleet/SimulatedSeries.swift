import Telemetry

/// A made-up series. Its value at a tick is a function of the machine's seed and the tick's number alone, so that whoever knows the two can tell
/// what a collector must have stored, without a record of it.
struct SimulatedSeries: Sendable {
    enum Shape: Sendable {
        /// Goes slowly between `low` and `high`, and by up to `jitter` around that from tick to tick; so many decimals.
        case smooth(low: Double, high: Double, jitter: Double, decimals: Int)
        /// Rises by up to twice `step` units a tick.
        case counter(step: Int64, unit: Int64)
        case constant(Double)
        /// As `smooth`, but only in a part of the ticks.
        case sparse(oneIn: UInt64)
        /// The tick's own number: what names a tick in a store, whatever became of its time.
        case tickNumber
        /// Numbers that no encoding makes smaller.
        case rough
        /// NaNs with payloads, infinities, negative zero and subnormals among other numbers.
        case special
    }

    /// Between two points that a smooth series goes through, in ticks.
    private static let waveTicks: Int64 = 64

    let series: Series
    let shape: Shape

    /// The value at a tick, nil when the series has none there. `seed` is the machine's and the series' own.
    func value(at tick: Int64, seed: UInt64) -> Double? {
        switch shape {
        case .smooth(let low, let high, let jitter, let decimals):
            let wave = low + (high - low) * Self.wave(tick, seed)
            return Self.rounded(max(0, wave + jitter * (2 * Self.unit(Self.noise(tick, seed)) - 1)), decimals)
        case .counter(let step, let unit):
            // Within its own step, so that the counter never falls.
            return Double((tick &* step &+ Int64(Self.noise(tick, seed) % UInt64(step))) &* unit)
        case .constant(let value): return value
        case .sparse(let oneIn):
            guard Self.noise(tick, seed) % oneIn == 0 else { return nil }
            return Self.rounded(0.002 + 0.03 * Self.wave(tick, seed), 6)
        case .tickNumber: return Double(tick)
        case .rough: return Self.unit(Self.noise(tick, seed)) * 1e3
        case .special: return Self.special(Self.noise(tick, seed))
        }
    }

    private static func noise(_ tick: Int64, _ seed: UInt64) -> UInt64 { SplitMix.mixed(seed &+ UInt64(bitPattern: tick) &* 0x9E37_79B9_7F4A_7C15) }

    /// 53 bits as a number in 0..<1.
    private static func unit(_ noise: UInt64) -> Double { Double(noise >> 11) * 0x1p-53 }

    /// A random line from point to point, 0…1.
    private static func wave(_ tick: Int64, _ seed: UInt64) -> Double {
        let point = tick / waveTicks
        let part = Double(tick % waveTicks) / Double(waveTicks)
        let from = unit(noise(point, ~seed))
        return from + (unit(noise(point + 1, ~seed)) - from) * part
    }

    private static func rounded(_ value: Double, _ decimals: Int) -> Double {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        return (value * scale).rounded() / scale
    }

    private static func special(_ noise: UInt64) -> Double {
        switch noise % 16 {
        case 0: .infinity
        case 1: -.infinity
        case 2: -0.0
        case 3: .leastNonzeroMagnitude
        // The fraction's lowest bit keeps it from being an infinity.
        case 4: Double(bitPattern: 0x7FF0_0000_0000_0001 | noise >> 12)
        default: Double(noise % 1000) / 8
        }
    }
}
