/// Growing, jittered delays between tries: exponential backoff with full jitter, so that a fleet that fails together does not come back together
/// (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015). A value; the caller brings the randomness.
package struct Backoff: Sendable {
    /// The first delay's upper bound, in milliseconds.
    package let base: Int64
    /// The upper bound that no delay exceeds, in milliseconds.
    package let cap: Int64
    package private(set) var failures = 0

    package init(base: Int64, cap: Int64) {
        self.base = base
        self.cap = cap
    }

    /// The next delay in milliseconds: 0 … min(cap, base · 2^failures), chosen by `random`.
    package mutating func next(random: UInt64) -> Int64 {
        let bound = min(cap, base << Int64(min(failures, 20)))
        failures += 1
        return Int64(random % UInt64(bound + 1))
    }

    package mutating func reset() { failures = 0 }
}
