import PostgresDriver
import TimeSeriesStores

/// How many series a device may have numbers for: names that never come again must not fill the table.
enum SeriesBound {
    /// Within a transaction that holds the devices' rows.
    /// - Parameter keys: those that are to be given a number.
    static func check(_ keys: Set<SeriesNumbers.Key>, _ connection: PostgresConnection) throws(PostgresError) {
        let most = Int64(TimeSeriesLimits.seriesNumberedPerDeviceMax)
        var added: [Int64: Int64] = [:]
        for key in keys { added[key.device, default: 0] += 1 }
        let rows = try connection.query(
            "SELECT device, count(*) FROM metric_series WHERE device = ANY($1::int8[]) GROUP BY device", [.integers(Array(added.keys))])
        for row in rows { added[try row.decode(at: 0), default: 0] += try row.decode(Int64.self, at: 1) }
        guard let count = added.values.max(), count > most else { return }
        throw PostgresError(
            .tooMuch, operation: "number a device's series", detail: "it would have \(count) series; \(most) is the most of a device")
    }
}
