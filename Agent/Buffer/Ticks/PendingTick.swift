import LinuxDriver
import Telemetry

/// A tick that is not sealed yet, with what is needed to set its time right.
struct PendingTick {
    /// The number of the tick, rising for as long as the stream lives.
    var row: Int64
    var tick: Tick
    /// Milliseconds since boot when it was taken.
    var boot: Int64
    /// Which boot, from the kernel's boot id.
    var bootId: Int64
}

/// Where unsealed ticks stand in time: the clocks of the moment they are sealed at.
struct TickTime {
    /// A wall clock that has moved less than this against the boot clock was slewed, not stepped. Milliseconds.
    static let stepMin: Int64 = 2_000
    /// The end of the year 9999, the last that RFC 3339 can write: a tick after it was read from a damaged row.
    static let wallMax: Int64 = 253_402_300_799_999

    let wall: Int64
    let boot: Int64
    let bootId: Int64

    /// Wall time less boot time. Wrapping, here and below, as the numbers may come from a damaged row.
    var offset: Int64 { wall &- boot }
    var isSet: Bool { (Clock.plausibleWallMin...Self.wallMax).contains(wall) }

    /// Moves a tick by the step that the wall clock has made in its boot since it was taken, as far as that is known: of this boot by the clocks
    /// of now, of an earlier one by the newest tick of it that was taken after the clock was set. Nil for a tick whose time nobody can know.
    func settled(_ pending: PendingTick, _ earlier: BootOffsets) -> Tick? {
        var tick = pending.tick
        let offset = pending.bootId == bootId ? self.offset : earlier.offset(of: pending.bootId)
        if let offset {
            let expected = offset &+ pending.boot
            if (expected &- tick.at).magnitude >= Self.stepMin.magnitude { tick.at = expected }
        }
        return Self.isPlausible(tick.at) ? tick : nil
    }

    static func isPlausible(_ at: Int64) -> Bool { (Clock.plausibleWallMin...wallMax).contains(at) }
}

/// What unsealed ticks tell of the boots they were taken in: wall time less boot time, where the clock was set before the boot ended.
struct BootOffsets {
    /// Boots remembered, of the newest ticks.
    static let countMax = 16

    private var entries: [(bootId: Int64, offset: Int64)] = []

    init(_ ticks: [PendingTick]) {
        for pending in ticks.reversed() {
            add(pending)
            if entries.count == Self.countMax { return }
        }
    }

    /// Takes up the next older tick.
    mutating func add(_ pending: PendingTick) {
        guard entries.count < Self.countMax, TickTime.isPlausible(pending.tick.at), offset(of: pending.bootId) == nil else { return }
        entries.append((pending.bootId, pending.tick.at &- pending.boot))
    }

    func offset(of bootId: Int64) -> Int64? { entries.first { $0.bootId == bootId }?.offset }
}
