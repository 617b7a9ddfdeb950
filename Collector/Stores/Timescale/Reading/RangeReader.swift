import PostgresDriver
import Telemetry
import TimeSeriesStores

/// Reads samples by step. Within a read-only transaction, so that all pieces are of one state.
struct RangeReader {
    let connection: PostgresConnection
    let query: RangeQuery

    /// By series, as they are read: by time within a piece or not, the pieces by time.
    private struct Points {
        var ofSeries: [Int64: [AggregatedPoint]] = [:]
        var count = 0

        mutating func add(_ point: AggregatedPoint, of series: Int64) {
            ofSeries[series, default: []].append(point)
            count += 1
        }

        /// By time; a step that lies in several pieces is one point.
        static func joined(_ points: [AggregatedPoint]) -> [AggregatedPoint] {
            var joined: [AggregatedPoint] = []
            joined.reserveCapacity(points.count)
            for point in points.sorted(by: { $0.at < $1.at }) {
                if joined.last?.at == point.at { joined[joined.count - 1].merge(point) } else { joined.append(point) }
            }
            return joined
        }
    }

    /// Nil beyond the query's bound.
    func read() throws(PostgresError) -> [AggregatedSeries]? {
        let series = try SeriesReader(connection: connection).series(of: query)
        guard !series.isEmpty else { return [] }
        var points = Points()
        let plan = RangePlan(from: TimeBounds.bounded(query.from), to: TimeBounds.bounded(query.to), step: query.step)
        for (index, piece) in plan.pieces.enumerated() {
            if let level = piece.level {
                try readRollups(level, piece.times, of: Array(series.keys), into: &points)
            } else {
                try readSamples(piece.times, of: series, into: &points)
            }
            // Where two pieces meet, a step of each series may lie in both.
            guard points.count - index * series.count <= query.pointsMax else { return nil }
        }
        var found: [AggregatedSeries] = []
        for (number, some) in points.ofSeries {
            if let series = series[number] { found.append(AggregatedSeries(series: series, points: Points.joined(some))) }
        }
        guard found.reduce(0, { $0 + $1.points.count }) <= query.pointsMax else { return nil }
        return found.sorted { $0.series.description < $1.series.description }
    }

    // MARK: Pieces

    /// Where a step begins, of a column; steps lie on multiples of the step since 1970.
    private func step(of column: String, _ parameter: String) -> String {
        "date_bin(make_interval(secs => \(parameter)::float8 / 1000), \(column), timestamptz 'epoch')"
    }

    private func readRollups(
        _ level: RollupLevel, _ times: ClosedRange<Int64>, of series: [Int64], into points: inout Points
    ) throws(PostgresError) {
        let rows = "FROM \(level.table.name) WHERE series = ANY($1::int8[]) AND bucket BETWEEN $2 AND $3"
        var values: [PostgresValue] = [.integers(series), .timestamp(times.lowerBound), .timestamp(times.upperBound), limit]
        guard query.step != level.milliseconds else {
            // A row is a point.
            return try read("SELECT series, bucket, count, mean, min, max \(rows) LIMIT $4", values, into: &points)
        }
        values.append(.double(Double(query.step)))
        let sql = """
            SELECT series, \(step(of: "bucket", "$5")), sum(count)::int8, sum(mean * count) / sum(count)::float8, min(min), max(max)
            \(rows) GROUP BY 1, 2 LIMIT $4
            """
        try read(sql, values, into: &points)
    }

    private func readSamples(_ times: ClosedRange<Int64>, of series: [Int64: Series], into points: inout Points) throws(PostgresError) {
        let narrow = series.filter { !SampleRows.isWide($0.value) }.map { $0.key }
        let range: [PostgresValue] = [.timestamp(times.lowerBound), .timestamp(times.upperBound), .double(Double(query.step)), limit]
        if !narrow.isEmpty {
            let sql = """
                SELECT series, \(step(of: "\"timestamp\"", "$4")), count(*), \(Self.mean), min(value), max(value)
                FROM metric_samples WHERE series = ANY($1::int8[]) AND "timestamp" BETWEEN $2 AND $3 AND \(Self.isFinite)
                GROUP BY 1, 2 LIMIT $5
                """
            try read(sql, [.integers(narrow)] + range, into: &points)
        }
        for (number, wide) in series where SampleRows.isWide(wide) {
            let sql = """
                SELECT $6::int8, \(step(of: "\"timestamp\"", "$4")), count(*), \(Self.mean), min(value), max(value)
                FROM (SELECT "timestamp", \(wide.metric) AS value FROM device_metrics WHERE device_id = $1 AND "timestamp" BETWEEN $2 AND $3) AS samples
                WHERE \(Self.isFinite)
                GROUP BY 1, 2 LIMIT $5
                """
            try read(sql, [.text(query.device.text)] + range + [.integer(number)], into: &points)
        }
    }

    /// Rows of series, time, count, mean, minimum and maximum. Together, not one by one, which would take several times as long; they are bounded.
    private func read(_ sql: String, _ values: [PostgresValue], into points: inout Points) throws(PostgresError) {
        for row in try connection.query(sql, values) {
            let point = AggregatedPoint(
                at: try row.time(at: 1), minimum: try row.double(at: 4), maximum: try row.double(at: 5), mean: try row.double(at: 3),
                count: Int(clamping: try row.integer(at: 2)))
            points.add(point, of: try row.integer(at: 0))
        }
    }

    /// One more than may be answered, so that it shows.
    private var limit: PostgresValue { .integer(Int64(query.pointsMax) + 1) }
    /// NaN is greater than infinity here.
    static let isFinite = "value > '-Infinity' AND value < 'Infinity'"
    /// Not avg(), which keeps a sum of squares and so refuses values beyond 1e154.
    private static let mean = "sum(least(greatest(value, -\(Rollup.meanMax)), \(Rollup.meanMax))) / count(*)"
}
