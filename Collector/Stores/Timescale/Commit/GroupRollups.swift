import Telemetry

/// What a group adds to the roll-ups of all levels: a value without a database.
package struct GroupRollups: Sendable {
    package struct Key: Hashable, Sendable {
        package let series: Int64
        /// When the bucket begins: UTC, milliseconds since 1970.
        package let bucket: Int64
    }

    private var minutes: [Key: Rollup] = [:]

    package init() {}

    package var isEmpty: Bool { minutes.isEmpty }
    /// Buckets by the minute.
    package var count: Int { minutes.count }

    /// Values that are no numbers, or infinite, have no place in a mean.
    package mutating func add(_ column: Block.Column, of series: Int64, at timestamps: [Int64]) {
        // Ticks come by time but for steps of the clock: one bucket is filled before the next begins.
        var open: (key: Key, rollup: Rollup)?
        column.forEach { index, value in
            guard value.isFinite else { return }
            let time = timestamps[index]
            let bucket = RollupLevel.minute.bucket(of: time)
            if open?.key.bucket == bucket {
                open?.rollup.add(value, at: time)
            } else {
                if let open { keep(open.rollup, open.key) }
                open = (Key(series: series, bucket: bucket), Rollup(value, at: time))
            }
        }
        if let open { keep(open.rollup, open.key) }
    }

    private mutating func keep(_ rollup: Rollup, _ key: Key) {
        if minutes[key]?.merge(rollup) == nil { minutes[key] = rollup }
    }

    /// The buckets of a level.
    package func buckets(_ level: RollupLevel) -> [Key: Rollup] {
        guard level != .minute else { return minutes }
        var buckets: [Key: Rollup] = [:]
        for (key, rollup) in minutes {
            let coarse = Key(series: key.series, bucket: level.bucket(of: key.bucket))
            if buckets[coarse]?.merge(rollup) == nil { buckets[coarse] = rollup }
        }
        return buckets
    }
}
