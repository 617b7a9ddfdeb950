/// A table that is parted by time: into a hypertable's chunks, or partitions of the same width.
package struct TimeTable: Hashable, Sendable {
    package let name: String
    /// The column that it is parted by.
    let column: String
    /// Days of a chunk or partition.
    let widthDays: Int64
    /// What compression keeps together, and in which order; nil where nothing is compressed. What a key is unique by is in the order, and leads it, so
    /// that a late row is compared with few others. It must not follow the time: until 2.26 TimescaleDB takes what comes late, into a chunk that it
    /// compresses again, for in order when it is within a batch by the first column and without by another, and then splits groups and misses rows.
    let compression: (segmentBy: String, orderBy: String)?

    private static let dayMilliseconds: Int64 = 86_400_000

    init(_ name: String, by column: String = "timestamp", widthDays: Int64, compression: (segmentBy: String, orderBy: String)? = nil) {
        self.name = name
        self.column = column
        self.widthDays = widthDays
        self.compression = compression
    }

    package static func == (one: TimeTable, other: TimeTable) -> Bool { one.name == other.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    static let deviceMetrics = TimeTable("device_metrics", widthDays: 1, compression: ("device_id", "id DESC, \"timestamp\" DESC"))
    static let certificateMetrics = TimeTable("certificate_metrics", widthDays: 1, compression: ("certificate_id", "id DESC, \"timestamp\" DESC"))
    static let blockchainMetrics = TimeTable("blockchain_metrics", widthDays: 1, compression: ("chain_id", "id DESC, \"timestamp\" DESC"))
    static let quantumMetrics = TimeTable("quantum_metrics", widthDays: 1, compression: ("certificate_id", "id DESC, \"timestamp\" DESC"))
    static let metricSamples = TimeTable("metric_samples", widthDays: 1, compression: ("series", "\"timestamp\" DESC"))
    static let sampleBatches = TimeTable("sample_batches", widthDays: 7)
    static let rollups1Minute = TimeTable("rollups_1m", by: "bucket", widthDays: 7)
    static let rollups5Minutes = TimeTable("rollups_5m", by: "bucket", widthDays: 28)
    static let rollups1Hour = TimeTable("rollups_1h", by: "bucket", widthDays: 90)
    static let rollups1Day = TimeTable("rollups_1d", by: "bucket", widthDays: 1_000)

    static let all = [
        deviceMetrics, certificateMetrics, blockchainMetrics, quantumMetrics, metricSamples, sampleBatches, rollups1Minute, rollups5Minutes,
        rollups1Hour, rollups1Day,
    ]

    /// Sets how chunks are compressed from now on; nil where none are.
    var compressionStatement: String? {
        compression.map { compression in
            """
            ALTER TABLE \(name) SET (
                timescaledb.compress, timescaledb.compress_segmentby = '\(compression.segmentBy)', timescaledb.compress_orderby = '\(compression.orderBy)'
            )
            """
        }
    }

    // MARK: Partitions, numbered since 1970

    /// The partition that a time, in milliseconds since 1970, falls into.
    func partition(of time: Int64) -> Int64 {
        let width = widthDays * Self.dayMilliseconds
        return time / width - (time % width < 0 ? 1 : 0)
    }

    /// When a partition begins; it ends where the next begins.
    func start(of partition: Int64) -> Int64 { partition * widthDays * Self.dayMilliseconds }

    func partitionName(_ partition: Int64) -> String { name + "_p" + String(partition) }

    /// The number in a partition's name; nil when it is not one of ours. Another number may follow, where a table that was detached has the name.
    func partition(named text: String) -> Int64? {
        guard text.hasPrefix(name + "_p") else { return nil }
        let parts = text.dropFirst(name.utf8.count + 2).split(separator: "_", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count == 1 || (parts.count == 2 && Int64(parts[1]) != nil) else { return nil }
        return Int64(first)
    }
}
