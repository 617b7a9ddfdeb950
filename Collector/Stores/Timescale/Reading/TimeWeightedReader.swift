import PostgresDriver
import Telemetry
import TimeSeriesStores

/// Reads means over time: from roll-ups by the minute where the steps are of whole minutes, otherwise and at the edges from samples. Within a
/// read-only transaction, so that all pieces are of one state.
struct TimeWeightedReader {
    /// Rows of an answer, samples and minutes; each is looked at once and not kept.
    static let rowsMax = 5_000_000

    let connection: PostgresConnection
    let query: RangeQuery
    let holdMax: Int64

    private struct Progress {
        var steps: [Int64: TimeWeightedSteps] = [:]
        var rows = 0
        var points = 0
    }

    /// Nil beyond a bound.
    func read() throws(PostgresError) -> [AggregatedSeries]? {
        let series = try SeriesReader(connection: connection).series(of: query)
        guard !series.isEmpty else { return [] }
        let (from, to) = (TimeBounds.bounded(query.from), TimeBounds.bounded(query.to))
        let leadIn = TimeBounds.bounded(TimeWeightedSteps.leadIn(query, holdMax: holdMax))
        let lead = leadIn < from ? [RangePlan.Piece(level: nil, times: leadIn...from - 1)] : []
        var progress = Progress()
        for piece in lead + RangePlan(from: from, to: to, step: query.step, levels: [.minute]).pieces {
            let narrow = series.filter { !SampleRows.isWide($0.value) }.map { $0.key }
            let source = SampleSource.samples(of: narrow)
            if !narrow.isEmpty { try read(piece, source, into: &progress) }
            for (number, wide) in series where SampleRows.isWide(wide) {
                try read(piece, .ticks(of: query.device, number, wide.metric), into: &progress)
            }
            guard progress.rows <= Self.rowsMax, progress.points <= query.pointsMax else { return nil }
        }
        var found: [AggregatedSeries] = []
        for (number, steps) in progress.steps {
            var steps = steps
            let points = steps.finish()
            if let series = series[number], !points.isEmpty { found.append(AggregatedSeries(series: series, points: points)) }
        }
        guard found.reduce(0, { $0 + $1.points.count }) <= query.pointsMax else { return nil }
        return found.sorted { $0.series.description < $1.series.description }
    }

    // MARK: Pieces

    private func read(_ piece: RangePlan.Piece, _ source: SampleSource, into progress: inout Progress) throws(PostgresError) {
        let sql = piece.level == nil ? Self.samples(source) : Self.minutes(source)
        let values: [PostgresValue] = [
            source.place, .timestamp(piece.times.lowerBound), .timestamp(piece.times.upperBound), .integer(Int64(Self.rowsMax) + 1),
            .integers(source.series),
        ]
        try connection.forEachRow(sql, values) { (row) throws(PostgresError) in
            progress.rows += 1
            guard progress.points <= query.pointsMax else { return }
            let number = try row.decode(Int64.self, at: 0)
            var steps = progress.steps.removeValue(forKey: number) ?? TimeWeightedSteps(query, holdMax: holdMax)
            let before = steps.pointCount
            steps.add(
                .init(
                    firstAt: try row.decode(PostgresTimestamp.self, at: 1).milliseconds,
                    lastAt: try row.decode(PostgresTimestamp.self, at: 2).milliseconds,
                    last: try row.decode(at: 3), area: try row.decode(at: 4), minimum: try row.decode(at: 5), maximum: try row.decode(at: 6),
                    count: try row.decode(at: 7)))
            progress.points += steps.pointCount - before
            progress.steps[number] = steps
        }
    }

    /// By time, the greatest last of those at one time.
    private static let order = "ORDER BY series, first_at, last LIMIT $4"

    private static func samples(_ source: SampleSource) -> String {
        """
        SELECT series, at AS first_at, at, value AS last, 0::float8, value, value, 1::int8 FROM (\(source.rows("$2", "$3"))) AS samples
        WHERE series = ANY($5::int8[]) AND \(RangeReader.isFinite) \(order)
        """
    }

    /// Where a minute's samples did not come one after the other they are read; where they are gone, it counts as its mean.
    private static func minutes(_ source: SampleSource) -> String {
        """
        SELECT series, first_at, last_at, last, area, min, max, count FROM \(RollupLevel.minute.table.name)
        WHERE series = ANY($5::int8[]) AND bucket BETWEEN $2 AND $3 AND area IS NOT NULL
        UNION ALL
        SELECT minute.series, coalesce(at, first_at, bucket), coalesce(at, last_at), coalesce(value, last),
            CASE WHEN at IS NULL THEN mean * extract(epoch FROM last_at - coalesce(first_at, bucket))::float8 ELSE 0 END,
            coalesce(value, min), coalesce(value, max), CASE WHEN at IS NULL THEN count ELSE 1 END
        FROM \(RollupLevel.minute.table.name) AS minute LEFT JOIN LATERAL (
            SELECT at, value FROM (\(source.rows("minute.bucket", "minute.bucket + interval '59.999 s'"))) AS samples
            WHERE samples.series = minute.series AND \(RangeReader.isFinite)
        ) AS samples ON true
        WHERE minute.series = ANY($5::int8[]) AND bucket BETWEEN $2 AND $3 AND area IS NULL
        \(order)
        """
    }
}

/// Where samples lie: a row each, or in a column of a device's ticks.
private struct SampleSource {
    let series: [Int64]
    let place: PostgresValue
    /// With `$1` as the place.
    let rows: (_ from: String, _ to: String) -> String

    static func samples(of series: [Int64]) -> SampleSource {
        SampleSource(series: series, place: .integers(series)) { from, to in
            """
            SELECT series, "timestamp" AS at, value FROM metric_samples
            WHERE series = ANY($1::int8[]) AND "timestamp" BETWEEN \(from) AND \(to)
            """
        }
    }

    /// - Parameter metric: one of ours, and so a column.
    static func ticks(of device: DeviceId, _ number: Int64, _ metric: String) -> SampleSource {
        SampleSource(series: [number], place: .text(device.text)) { from, to in
            """
            SELECT ($5::int8[])[1] AS series, "timestamp" AS at, \(metric) AS value FROM device_metrics
            WHERE device_id = $1 AND "timestamp" BETWEEN \(from) AND \(to)
            """
        }
    }
}
