import Telemetry

extension Block {
    /// How far back a series' newest value still counts as what the device shows now, in milliseconds: some are sampled less often than others.
    private static var currentMax: Int64 { 60_000 }

    /// What the device shows at the greatest timestamp: the newest value of each series that is not much older.
    package var newestTick: Tick? {
        guard let end = timestamps.max() else { return nil }
        var tick = Tick(at: end, readings: [])
        tick.readings.reserveCapacity(columns.count)
        let endsWithNewest = timestamps.last == end
        for column in columns {
            if endsWithNewest, column.presence?.last ?? true, let last = column.values.last {
                tick.readings.append(Reading(column.series, last))
                continue
            }
            var newest: (at: Int64, value: Double)?
            column.forEach { index, value in if timestamps[index] >= newest?.at ?? .min { newest = (timestamps[index], value) } }
            if let newest, end.subtractingReportingOverflow(newest.at).partialValue <= Self.currentMax {
                tick.readings.append(Reading(column.series, newest.value))
            }
        }
        return tick
    }
}
