import Telemetry

/// The readings of one tick as a row's bytes: for each a varint (the series' number) and the value's 8 bytes; at the end CRC-32C, which covers
/// the tick's number and times too.
enum TickRow {
    /// A number above this was never given out, it was read from a damaged file.
    static let numberMax = Int64.max / 4

    /// `numbers` are the series', in the readings' order; one without is left out.
    static func encode(_ pending: PendingTick, numbers: [Int64?]) -> [UInt8] {
        var writer = ByteWriter(capacity: pending.tick.readings.count * 10 + 4)
        for (reading, number) in zip(pending.tick.readings, numbers) {
            guard let number else { continue }
            writer.varint(UInt64(bitPattern: number))
            writer.uint64(reading.value.bitPattern)
        }
        writer.uint32(checksum(writer.bytes[...], row: pending.row, at: pending.tick.at, boot: pending.boot, bootId: pending.bootId))
        return writer.bytes
    }

    /// Nil for a row that is not as it was written. Readings whose series is not known any more are left out and counted.
    static func decode(
        _ bytes: [UInt8], row: Int64, at: Int64, boot: Int64, bootId: Int64, series: (Int64) -> Series?
    ) -> (tick: PendingTick, lostReadings: Int)? {
        guard bytes.count >= 4 else { return nil }
        let body = bytes[..<(bytes.count - 4)]
        var tail = ByteReader(bytes[(bytes.count - 4)...])
        guard (try? tail.uint32("tick.checksum")) == checksum(body, row: row, at: at, boot: boot, bootId: bootId) else { return nil }
        var reader = ByteReader(body)
        var readings: [Reading] = []
        var lost = 0
        while !reader.isAtEnd {
            guard let id = try? reader.varint("tick.series"), let bits = try? reader.uint64("tick.value") else { return nil }
            if let series = series(Int64(truncatingIfNeeded: id)) {
                readings.append(Reading(series, Double(bitPattern: bits)))
            } else {
                lost += 1
            }
        }
        return (PendingTick(row: row, tick: Tick(at: at, readings: readings), boot: boot, bootId: bootId), lost)
    }

    private static func checksum(_ body: ArraySlice<UInt8>, row: Int64, at: Int64, boot: Int64, bootId: Int64) -> UInt32 {
        var writer = ByteWriter(capacity: body.count + 40)
        for number in [row, at, boot, bootId] { writer.signed(number) }
        writer.append(body)
        return CRC32C.checksum(writer.bytes[...])
    }
}

/// The row of a series that ticks name by its number: its key, and CRC-32C over the number and the key.
enum SeriesRow {
    static func checksum(_ id: Int64, _ key: [UInt8]) -> Int64 {
        var writer = ByteWriter(capacity: key.count + 10)
        writer.signed(id)
        writer.append(key)
        return Int64(CRC32C.checksum(writer.bytes[...]))
    }

    /// Nil for a row that is not as it was written.
    static func series(_ id: Int64, _ key: [UInt8], _ checksum: Int64) -> Series? {
        checksum == self.checksum(id, key) ? try? SeriesKey.series(key) : nil
    }
}
