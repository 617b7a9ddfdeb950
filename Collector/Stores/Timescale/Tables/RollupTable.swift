import PostgresDriver

/// Writes roll-ups, within a transaction that holds the rows of the devices they belong to: so nobody else changes them.
struct RollupTable {
    /// Buckets written by one command.
    static let bucketsMax = 20_000
    /// So many buckets of a level are worth the question whether any of them is there: those that are new are copied, which takes half of the time.
    private static let copiedMin = 500

    private typealias Bucket = (key: GroupRollups.Key, rollup: Rollup)

    let connection: PostgresConnection

    /// Merges what a group adds into what is there.
    /// - Parameter commands: what is done after it, in the same round trip.
    func write(_ rollups: GroupRollups, then commands: [PostgresCommand] = []) throws(PostgresError) {
        // By series and time: what is read together lies together.
        var levels: [(level: RollupLevel, buckets: [Bucket])] = []
        for level in RollupLevel.allCases {
            let buckets = rollups.buckets(level).map { (key: $0.key, rollup: $0.value) }
            levels.append((level, buckets.sorted { ($0.key.series, $0.key.bucket) < ($1.key.series, $1.key.bucket) }))
        }
        var updates: [PostgresCommand] = []
        let areNew = try areNew(levels.filter { $0.buckets.count >= Self.copiedMin })
        for (level, buckets) in levels {
            if areNew.contains(level) {
                try copy(level, buckets)
            } else {
                updates += stride(from: 0, to: buckets.count, by: Self.bucketsMax).map { first in
                    Self.update(level, buckets[first..<min(first + Self.bucketsMax, buckets.count)])
                }
            }
        }
        _ = try connection.pipeline(updates + commands)
    }

    // MARK: New ones

    /// Levels of which nothing is there yet, from the first to the last bucket of any series.
    private func areNew(_ levels: [(level: RollupLevel, buckets: [Bucket])]) throws(PostgresError) -> Set<RollupLevel> {
        let answers = try connection.pipeline(
            levels.map { level, buckets in
                let times = buckets.map { $0.key.bucket }
                return PostgresCommand(
                    "SELECT NOT EXISTS (SELECT FROM \(level.table.name) WHERE series = ANY($1::int8[]) AND bucket BETWEEN $2 AND $3)",
                    [.integers(Array(Set(buckets.map { $0.key.series }))), .timestamp(times.min() ?? 0), .timestamp(times.max() ?? 0)])
            })
        var new: Set<RollupLevel> = []
        for (level, answer) in zip(levels, answers) where try answer.value(Bool.self) == true { new.insert(level.level) }
        return new
    }

    private func copy(_ level: RollupLevel, _ buckets: [Bucket]) throws(PostgresError) {
        let hasArea = level == .minute
        try connection.copyIn(level.table.name, columns: Self.columns(hasArea)) { (writer) throws(PostgresError) in
            for (key, rollup) in buckets {
                try writer.beginRow()
                writer.integer(key.series)
                writer.timestamp(key.bucket)
                writer.integer(rollup.count)
                for value in [rollup.mean, rollup.minimum, rollup.maximum, rollup.last] { writer.double(value) }
                writer.timestamp(rollup.lastAt)
                guard hasArea else { continue }
                writer.timestamp(rollup.firstAt)
                if let area = rollup.area { writer.double(area) } else { writer.null() }
            }
        }
    }

    // MARK: Those that may be there

    /// The table by the minute has what means over time are made of.
    private static func columns(_ hasArea: Bool) -> [String] {
        ["series", "bucket", "count", "mean", "min", "max", "last", "last_at"] + (hasArea ? ["first_at", "area"] : [])
    }

    private static func update(_ level: RollupLevel, _ buckets: ArraySlice<Bucket>) -> PostgresCommand {
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
            INSERT INTO \(level.table.name) AS known (\(columns(hasArea).joined(separator: ", ")))
            SELECT * FROM unnest(
                $1::int8[], $2::timestamptz[], $3::int8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::timestamptz[]
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
