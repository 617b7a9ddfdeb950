/// What later migrations have added.
extension Schema {
    /// Rows that are there already have none: their samples are read instead.
    static let areas = [
        "ALTER TABLE \(RollupLevel.minute.table.name) ADD COLUMN first_at timestamptz, ADD COLUMN area float8"
    ]

    /// For who asks in SQL: `metrics_1m` and so on have names where the tables have numbers.
    static let namedRollups = RollupLevel.allCases.map { level in
        """
        CREATE VIEW \(level.view) AS
        SELECT devices.device, metric_series.metric, metric_series.labels, rollup.bucket, rollup.count, rollup.mean, rollup.min, rollup.max,
            rollup.last, rollup.last_at
        FROM \(level.table.name) AS rollup JOIN metric_series ON metric_series.id = rollup.series JOIN devices ON devices.number = metric_series.device
        """
    }

    /// Rows come about in the order of their time: a few bytes for each 128 pages tell which of them may hold those of a minute. Ranges of late rows are
    /// kept apart from the others of their pages by `minmax_multi`.
    static let timeIndexes = [TimeTable.deviceMetrics, .metricSamples].map { table in
        PartChange.index(
            PartIndex(
                table: table, suffix: "time",
                definition: "USING brin (\"\(table.column)\" timestamptz_minmax_multi_ops) WITH (autosummarize = on)"))
    }

    /// What was ordered by time and id before.
    static let idOrders = [TimeTable.deviceMetrics, .certificateMetrics, .blockchainMetrics, .quantumMetrics].map { PartChange.order($0) }
}
