import PostgresDriver
import Telemetry
import TimeSeriesStores

/// Reads samples by step. Within a read-only transaction, so that all pieces are of one state.
struct RangeReader {
    let connection: PostgresConnection
    let query: RangeQuery

    private struct Key: Hashable {
        let series: Int64
        let step: Int64
    }

    /// Nil beyond the query's bound.
    func read() throws(PostgresError) -> [AggregatedSeries]? {
        let series = try SeriesReader(connection: connection).series(of: query)
        guard !series.isEmpty else { return [] }
        var points: [Key: AggregatedPoint] = [:]
        let plan = RangePlan(from: TimeBounds.bounded(query.from), to: TimeBounds.bounded(query.to), step: query.step)
        for piece in plan.pieces {
            if let level = piece.level {
                try readRollups(level, piece.times, of: Array(series.keys), into: &points)
            } else {
                try readSamples(piece.times, of: series, into: &points)
            }
            guard points.count <= query.pointsMax else { return nil }
        }
        var found: [Int64: [AggregatedPoint]] = [:]
        for (key, point) in points { found[key.series, default: []].append(point) }
        return found.compactMap { number, points in
            series[number].map { AggregatedSeries(series: $0, points: points.sorted { $0.at < $1.at }) }
        }
        .sorted { $0.series.description < $1.series.description }
    }

    // MARK: Pieces

    /// Where a step begins, of a column; steps lie on multiples of the step since 1970.
    private func step(of column: String, _ parameter: String) -> String {
        "date_bin(make_interval(secs => \(parameter)::float8 / 1000), \(column), timestamptz 'epoch')"
    }

    private func readRollups(
        _ level: RollupLevel, _ times: ClosedRange<Int64>, of series: [Int64], into points: inout [Key: AggregatedPoint]
    ) throws(PostgresError) {
        let sql = """
            SELECT series, \(step(of: "bucket", "$4")), sum(count)::int8, sum(mean * count) / sum(count)::float8, min(min), max(max)
            FROM \(level.table.name) WHERE series = ANY($1::int4[]) AND bucket BETWEEN $2 AND $3
            GROUP BY 1, 2 LIMIT $5
            """
        let values: [PostgresValue] = [
            .integers(series), .timestamp(times.lowerBound), .timestamp(times.upperBound), .double(Double(query.step)), limit,
        ]
        try connection.forEachRow(sql, values) { (row) throws(PostgresError) in try Self.add(row, series: row.decode(at: 0), into: &points) }
    }

    private func readSamples(
        _ times: ClosedRange<Int64>, of series: [Int64: Series], into points: inout [Key: AggregatedPoint]
    ) throws(PostgresError) {
        let narrow = series.filter { !SampleRows.isWide($0.value) }.map { $0.key }
        let range: [PostgresValue] = [.timestamp(times.lowerBound), .timestamp(times.upperBound), .double(Double(query.step)), limit]
        if !narrow.isEmpty {
            let sql = """
                SELECT series, \(step(of: "\"timestamp\"", "$4")), count(*), \(Self.mean), min(value), max(value)
                FROM metric_samples WHERE series = ANY($1::int4[]) AND "timestamp" BETWEEN $2 AND $3 AND \(Self.isFinite)
                GROUP BY 1, 2 LIMIT $5
                """
            try connection.forEachRow(sql, [.integers(narrow)] + range) { (row) throws(PostgresError) in
                try Self.add(row, series: row.decode(at: 0), into: &points)
            }
        }
        for (number, wide) in series where SampleRows.isWide(wide) {
            let sql = """
                SELECT 0, \(step(of: "\"timestamp\"", "$4")), count(*), \(Self.mean), min(value), max(value)
                FROM (SELECT "timestamp", \(wide.metric) AS value FROM device_metrics WHERE device_id = $1 AND "timestamp" BETWEEN $2 AND $3) AS samples
                WHERE \(Self.isFinite)
                GROUP BY 1, 2 LIMIT $5
                """
            try connection.forEachRow(sql, [.text(query.device.text)] + range) { (row) throws(PostgresError) in
                try Self.add(row, series: number, into: &points)
            }
        }
    }

    /// One more than may be answered, so that it shows.
    private var limit: PostgresValue { .integer(Int64(query.pointsMax) + 1) }
    /// NaN is greater than infinity here.
    static let isFinite = "value > '-Infinity' AND value < 'Infinity'"
    /// Not avg(), which keeps a sum of squares and so refuses values beyond 1e154.
    private static let mean = "sum(least(greatest(value, -\(Rollup.meanMax)), \(Rollup.meanMax))) / count(*)"

    private static func add(_ row: PostgresRow, series: Int64, into points: inout [Key: AggregatedPoint]) throws(PostgresError) {
        let at = try row.decode(PostgresTimestamp.self, at: 1).milliseconds
        let point = AggregatedPoint(
            at: at, minimum: try row.decode(at: 4), maximum: try row.decode(at: 5), mean: try row.decode(at: 3), count: try row.decode(at: 2))
        if points[Key(series: series, step: at)]?.merge(point) == nil { points[Key(series: series, step: at)] = point }
    }
}
