import PostgresDriver
import Telemetry
import TimeSeriesStores

/// Which of a device's series a question is about.
struct SeriesReader {
    let connection: PostgresConnection

    /// By number.
    func series(of query: RangeQuery) throws(PostgresError) -> [Int64: Series] {
        let rows = try connection.query(
            """
            SELECT id, key FROM metric_series
            WHERE device = (SELECT number FROM devices WHERE device = $1) AND ($2::text[] IS NULL OR metric = ANY($2)) LIMIT $3
            """,
            [
                .text(query.device.text), query.metrics.map { .texts($0.map { $0.withoutZeros }) } ?? .null,
                .integer(Int64(TimeSeriesLimits.seriesNumberedPerDeviceMax)),
            ])
        var names: [Int64: Series] = [:]
        for row in rows { names[try row.decode(at: 0)] = try? SeriesKey.series(try row.decode(PostgresBytes.self, at: 1).bytes) }
        return names
    }
}
