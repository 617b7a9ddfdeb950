import CLinux

/// The three clocks of a machine, in milliseconds. Values, so that tests and simulations bring their own.
package struct Clock: Sendable {
    /// UTC, milliseconds since 1970; may step.
    package var wall: @Sendable () -> Int64
    /// Since boot, suspended time included; never steps. `CLOCK_BOOTTIME`.
    package var boot: @Sendable () -> Int64

    package init(wall: @escaping @Sendable () -> Int64, boot: @escaping @Sendable () -> Int64) {
        self.wall = wall
        self.boot = boot
    }

    package static let system = Clock(
        wall: { read(CLOCK_REALTIME) / 1_000_000 },
        boot: { read(CLOCK_BOOTTIME) / 1_000_000 })

    /// Nanoseconds of a clock of clock_gettime(2).
    package static func read(_ id: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(id, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Nanoseconds for measuring short spans; never steps.
    package static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    /// A wall clock before this instant has not been set yet: boards without a battery boot in 1970. 2025-01-01T00:00:00Z.
    package static let plausibleWallMin: Int64 = 1_735_689_600_000
}
