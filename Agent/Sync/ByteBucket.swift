/// A bound on bytes over time: a token bucket that may go into debt by one batch, since a batch goes whole or not at all. So in any span of
/// time at most `burst` + rate × span + one batch pass. A value; the caller brings the time.
package struct ByteBucket: Equatable, Sendable {
    package let bytesPerSecond: Double
    /// What it holds when nothing is taken for long, in bytes.
    package let burst: Double
    private var level: Double
    /// When `level` was true: milliseconds on the boot clock.
    private var at: Int64

    package init(bytesPerSecond: Double, burst: Double, level: Double, now: Int64) {
        self.bytesPerSecond = bytesPerSecond
        self.burst = burst
        self.level = min(level, burst)
        at = now
    }

    /// Bytes that may go now; below 0 when a batch was larger than what there was.
    package func available(now: Int64) -> Double { min(burst, level + Double(max(0, now - at)) / 1_000 * bytesPerSecond) }

    package mutating func take(_ bytes: Int, now: Int64) {
        level = available(now: now) - Double(bytes)
        at = max(at, now)
    }

    /// When more than `floor` bytes are there: now or later, in milliseconds on the boot clock.
    package func ready(above floor: Double, now: Int64) -> Int64 {
        let missing = floor - available(now: now)
        guard missing >= 0 else { return now }
        // Rounded up and one more, so that whoever wakes up then finds it ready.
        return now + Int64(min(missing / max(bytesPerSecond, 0.001) * 1_000, Self.waitMax)) + 1
    }

    /// No wait is told to be longer: a day, in milliseconds.
    private static let waitMax: Double = 86_400_000
}
