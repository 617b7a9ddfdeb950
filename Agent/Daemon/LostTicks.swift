import AgentBuffer
import LinuxDriver
import Telemetry

/// Ticks that the buffer could not take, on a disk without any room: counted, and told of by a receipt when there is room again.
package struct LostTicks {
    /// Since the agent started.
    package private(set) var ticks: Int64 = 0
    private var untold: EvictionReceipt?

    package init() {}

    package mutating func add(_ tick: Tick) {
        ticks += 1
        // A time from before the clock was set says nothing.
        let at = tick.at >= Clock.plausibleWallMin ? tick.at : nil
        let lost = EvictionReceipt(.dropped, cause: .unwritten, from: at, to: at, ticks: 1, samples: Int64(tick.readings.count))
        if untold?.absorb(lost) != true { untold = lost }
    }

    /// The receipt's way into the buffer was found.
    package mutating func told() { untold = nil }

    /// The receipt for what was not told yet; nil when there is nothing, or the clock is not set.
    package func receipt(at wall: Int64) -> String? { wall >= Clock.plausibleWallMin ? untold?.json(at: wall) : nil }
}
