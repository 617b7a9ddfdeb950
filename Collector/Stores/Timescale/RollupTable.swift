import PostgresDriver

/// The tables of roll-ups.
enum RollupTable {
    /// Buckets written by one command.
    static let bucketsMax = 20_000

    /// Merges what a group adds into what is there. The rows belong to devices whose rows the transaction holds, so that nobody else changes them.
    static func updates(_ rollups: GroupRollups, _ level: RollupLevel) -> [PostgresCommand] {
        let all = rollups.buckets(level).map { (key: $0.key, rollup: $0.value) }
        return stride(from: 0, to: all.count, by: bucketsMax).map { update(level, all[$0..<min($0 + bucketsMax, all.count)]) }
    }

    /// The table by the minute has what means over time are made of.
    private static func update(_ level: RollupLevel, _ buckets: ArraySlice<(key: GroupRollups.Key, rollup: Rollup)>) -> PostgresCommand {
        let hasArea = level == .minute
        var values: [PostgresValue] = [
            .integers(buckets.map { $0.key.series }), .timestamps(buckets.map { $0.key.bucket }),
            .integers(buckets.map { $0.rollup.count }), .doubles(buckets.map { $0.rollup.mean }), .doubles(buckets.map { $0.rollup.minimum }),
            .doubles(buckets.map { $0.rollup.maximum }), .doubles(buckets.map { $0.rollup.last }),
            .timestamps(buckets.map { $0.rollup.lastAt }),
        ]
        if hasArea {
            values += [
                .timestamps(buckets.map { $0.rollup.firstAt }), .array(buckets.map { $0.rollup.area.map(PostgresValue.double) ?? .null }),
            ]
        }
        return PostgresCommand(
            """
            INSERT INTO \(level.table.name) AS known (series, bucket, count, mean, min, max, last, last_at\(hasArea ? ", first_at, area" : ""))
            SELECT * FROM unnest(
                $1::int4[], $2::timestamptz[], $3::int8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::timestamptz[]
                \(hasArea ? ", $9::timestamptz[], $10::float8[]" : ""))
            ON CONFLICT (series, bucket) DO UPDATE SET
                count = known.count + excluded.count,
                mean = (known.mean * known.count + excluded.mean * excluded.count) / (known.count + excluded.count),
                min = least(known.min, excluded.min), max = greatest(known.max, excluded.max),
                last = CASE WHEN excluded.last_at >= known.last_at THEN excluded.last ELSE known.last END,
                last_at = greatest(known.last_at, excluded.last_at)\(hasArea ? ", " + joined : "")
            """, values)
    }

    /// As `Rollup.joined` has it. Rows from before these columns were there have none of them, and stay so.
    private static let joined = """
        first_at = least(known.first_at, excluded.first_at),
        area = CASE
            WHEN known.last_at < excluded.first_at THEN known.area + excluded.area + \(held("known", "excluded"))
            WHEN excluded.last_at < known.first_at THEN known.area + excluded.area + \(held("excluded", "known"))
        END
        """

    /// A product that overflows or underflows would be an error.
    private static func held(_ one: String, _ next: String) -> String {
        let bounded = "least(greatest(\(one).last, -\(Rollup.meanMax)), \(Rollup.meanMax))"
        let seconds = "extract(epoch FROM \(next).first_at - \(one).last_at)::float8"
        return "CASE WHEN abs(\(one).last) < \(Rollup.meanMin) THEN 0 ELSE \(bounded) * \(seconds) END"
    }
}
