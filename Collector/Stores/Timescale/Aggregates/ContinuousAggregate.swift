/// One of TimescaleDB's continuous aggregates of the tables with samples, on the community edition: the server keeps it, beside the roll-up tables that
/// the collector keeps on every tier and reads. Those by the hour are made of those by the minute, those by the day of those by the hour.
package struct ContinuousAggregate: Equatable, Sendable {
    /// E.g. `metric_samples_1h`.
    package let name: String
    let level: RollupLevel
    /// What it is made of.
    let source: String
    /// The query that it keeps the answer of.
    let definition: String

    /// What a table's aggregates are by, and of.
    private struct Columns {
        let table: TimeTable
        let key: String
        /// A value's column and what begins the names of its aggregates.
        let values: [(column: String, prefix: String)]
    }

    private static let columns = [
        Columns(
            table: .deviceMetrics, key: "device_id",
            values: ["cpu_usage", "memory_usage", "network_latency"].map { ($0, $0 + "_") }),
        Columns(table: .metricSamples, key: "series", values: [("value", "")]),
    ]

    /// What is made of others comes after them.
    package static let all = columns.flatMap { columns in
        [fromSamples(columns, .minute), fromAggregate(columns, .hour, of: .minute), fromAggregate(columns, .day, of: .hour)]
    }

    private static func name(_ table: TimeTable, _ level: RollupLevel) -> String { table.name + level.suffix }

    // MARK: Definitions

    private static func fromSamples(_ columns: Columns, _ level: RollupLevel) -> ContinuousAggregate {
        let values = columns.values.map { column, prefix in
            let isThere = "FILTER (WHERE \(column) IS NOT NULL)"
            // One that overflowed would keep every later refresh from being done. Of nothing and a bound these give the bound.
            let sum = "sum(least(greatest(\(column), -\(Rollup.meanMax)), \(Rollup.meanMax))) \(isThere)"
            return """
                count(\(column)) AS \(prefix)count, \(mean(sum, "count(\(column))")) AS \(prefix)mean, min(\(column)) AS \(prefix)min,
                max(\(column)) AS \(prefix)max, last(\(column), "timestamp") \(isThere) AS \(prefix)last,
                max("timestamp") \(isThere) AS \(prefix)last_at
                """
        }
        return make(columns, level, of: columns.table.name, by: "\"timestamp\"", values)
    }

    private static func fromAggregate(_ columns: Columns, _ level: RollupLevel, of finer: RollupLevel) -> ContinuousAggregate {
        let values = columns.values.map { _, prefix in
            """
            sum(\(prefix)count)::int8 AS \(prefix)count, \(mean("sum(\(prefix)mean * \(prefix)count)", "sum(\(prefix)count)::float8")) AS \(prefix)mean,
            min(\(prefix)min) AS \(prefix)min, max(\(prefix)max) AS \(prefix)max,
            last(\(prefix)last, \(prefix)last_at) FILTER (WHERE \(prefix)last_at IS NOT NULL) AS \(prefix)last,
            max(\(prefix)last_at) AS \(prefix)last_at
            """
        }
        return make(columns, level, of: name(columns.table, finer), by: "bucket", values)
    }

    private static func make(
        _ columns: Columns, _ level: RollupLevel, of source: String, by time: String, _ values: [String]
    ) -> ContinuousAggregate {
        let bucket = "time_bucket(interval '\(level.milliseconds / 1_000) seconds', \(time))"
        return ContinuousAggregate(
            name: name(columns.table, level), level: level, source: source,
            definition: """
                SELECT \(columns.key), \(bucket) AS bucket, \(values.joined(separator: ", ")) FROM \(source)
                GROUP BY \(columns.key), \(bucket)
                """)
    }

    /// A quotient that underflowed would be an error.
    private static func mean(_ sum: String, _ count: String) -> String {
        "CASE WHEN abs(\(sum)) < \(Rollup.meanMin) THEN 0 ELSE \(sum) / nullif(\(count), 0) END"
    }
}

extension RollupLevel {
    /// Ends the names of what is by this width: `_1m`.
    var suffix: String {
        switch self {
        case .minute: "_1m"
        case .fiveMinutes: "_5m"
        case .hour: "_1h"
        case .day: "_1d"
        }
    }
}
