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
            writer.varint(UInt64(id))
            writer.uint64(reading.value.bitPattern)
        }
        return writer.bytes
    }

    /// Readings whose series is not known any more are left out; a row that ends early gives what could be read.
    static func decode(_ bytes: [UInt8], series: (Int64) -> Series?) -> [Reading] {
        var reader = ByteReader(bytes)
        var readings: [Reading] = []
        while !reader.isAtEnd {
            guard let id = try? reader.varint("tick.series"), let bits = try? reader.uint64("tick.value") else { break }
            if let series = series(Int64(truncatingIfNeeded: id)) { readings.append(Reading(series, Double(bitPattern: bits))) }
        }
        return readings
    }
}

/// Where the ticks of a batch stand in time when they are sealed.
enum TickTime {
    /// A wall clock that has moved less than this against the boot clock was slewed, not stepped. Milliseconds.
    static let stepMin: Int64 = 2_000

    /// Moves a tick of this boot by the step that the wall clock has made since, and gives nil for a tick whose time nobody can know:
    /// one of an earlier boot, taken before the clock was set.
    static func settled(_ pending: PendingTick, bootId: Int64, wallNow: Int64, bootNow: Int64, plausibleMin: Int64) -> Tick? {
        var tick = pending.tick
        if pending.bootId == bootId {
            let expected = wallNow - bootNow + pending.boot
            if abs(expected - tick.at) >= stepMin { tick.at = expected }
        }
        return tick.at >= plausibleMin ? tick : nil
    }
}
