import LinuxDriver
import Telemetry

/// A tick that is not sealed yet, with what is needed to set its time right.
struct PendingTick {
    /// The row in `ticks`.
    var row: Int64
    var tick: Tick
    /// Milliseconds since boot when it was taken.
    var boot: Int64
    /// Which boot, from the kernel's boot id.
    var bootId: Int64
}

/// The readings of one tick as a row's bytes: for each a varint (the series' row) and the value's 8 bytes.
enum TickRow {
    static func encode(_ readings: [Reading], id: (Series) -> Int64?) -> [UInt8] {
        var writer = ByteWriter(capacity: readings.count * 10)
        for reading in readings {
            guard let id = id(reading.series) else { continue }
            writer.varint(UInt64(bitPattern: id))
            writer.uint64(reading.value.bitPattern)
        }
        return writer.bytes
    }

    /// Readings whose series is not known any more are left out; a row that ends early gives what could be read, one of more readings than a
    /// block has columns, which is a damaged one, its first.
    static func decode(_ bytes: [UInt8], series: (Int64) -> Series?) -> [Reading] {
        var reader = ByteReader(bytes)
        var readings: [Reading] = []
        while !reader.isAtEnd, readings.count < Block.columnsMax {
            guard let id = try? reader.varint("tick.series"), let bits = try? reader.uint64("tick.value") else { break }
            if let series = series(Int64(truncatingIfNeeded: id)) { readings.append(Reading(series, Double(bitPattern: bits))) }
        }
        return readings
    }
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

    /// Moves a tick of this boot by the step that the wall clock has made since, and gives nil for a tick whose time nobody can know:
    /// one of an earlier boot, taken before the clock was set.
    func settled(_ pending: PendingTick) -> Tick? {
        var tick = pending.tick
        if pending.bootId == bootId {
            // Wrapping, as the numbers may come from a damaged row.
            let expected = wall &- boot &+ pending.boot
            if (expected &- tick.at).magnitude >= Self.stepMin.magnitude { tick.at = expected }
        }
        return (Clock.plausibleWallMin...Self.wallMax).contains(tick.at) ? tick : nil
    }
}
