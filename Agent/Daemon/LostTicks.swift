import LinuxDriver
import Telemetry

/// Ticks that the buffer could not take, on a disk without any room: counted, and told of by an event when there is room again.
struct LostTicks {
    /// Since the agent started.
    private(set) var ticks: Int64 = 0
    private var untold: (ticks: Int64, samples: Int64, from: Int64, to: Int64)?

    mutating func add(_ tick: Tick) {
        ticks += 1
        let samples = Int64(tick.readings.count)
        if let before = untold {
            untold = (before.ticks + 1, before.samples + samples, min(before.from, tick.at), max(before.to, tick.at))
        } else {
            untold = (1, samples, tick.at, tick.at)
        }
    }

    /// The event's way into the buffer was found.
    mutating func told() { untold = nil }

    /// The event of what was not told yet; nil when there is nothing, or the clock is not set.
    func event(at wall: Int64) -> String? {
        guard let lost = untold, wall >= Clock.plausibleWallMin else { return nil }
        var writer = JSONWriter()
        writer.object { json in
            json.string("type", "lost_ticks")
            json.string("at", Timestamp.text(wall))
            json.integer("ticks", lost.ticks)
            json.integer("samples", lost.samples)
            json.string("from", Timestamp.text(lost.from))
            json.string("to", Timestamp.text(lost.to))
        }
        return writer.text
    }
}
