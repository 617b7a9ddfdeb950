import Telemetry
import TimeSeriesStores

/// How much a group asks of one transaction: a block of few bytes can unfold into a million rows, or lie on every day of years. A value.
package struct CommitSize: Equatable, Sendable {
    /// Of several batches together; more are written one after the other.
    package static let groupRowsMax = 50_000
    package static let groupBucketsMax = 150_000
    /// Of a batch by itself: as many as its samples may be, each in a minute and five minutes of its own, and a quarter more for hours and days. A
    /// server that is well writes them in less than a minute.
    package static let bucketsMax = 2 * Block.samplesMax + Block.samplesMax / 4

    /// Batches with samples.
    package private(set) var batches = 0
    package private(set) var rows = 0
    /// Of roll-ups on all levels; at most, where a column has gaps.
    package private(set) var buckets = 0
    /// Since 1970.
    package private(set) var days: Set<Int64> = []

    package init(_ group: [IncomingBatch]) {
        for incoming in group { if let block = incoming.block { add(block) } }
    }

    private mutating func add(_ block: Block) {
        batches += 1
        rows += block.sampleCount
        for level in RollupLevel.allCases {
            var last: Int64?
            var count = 0
            for time in block.timestamps {
                let bucket = level.bucket(of: time)
                guard bucket != last else { continue }
                count += 1
                last = bucket
                if level == .day { days.insert(bucket / level.rawValue) }
            }
            buckets += block.columns.reduce(0) { $0 + min(count, $1.values.count) }
        }
    }

    /// Why it is not written in one transaction; nil when it is. Of a single batch that is for good.
    package func refusal(_ layout: TableLayout) -> String? {
        if days.count > layout.daysMax { return "its samples lie on \(days.count) days; \(layout.daysMax) is the most" }
        let bucketsMax = batches > 1 ? Self.groupBucketsMax : Self.bucketsMax
        if buckets > bucketsMax { return "its samples make \(buckets) roll-ups; \(bucketsMax) is the most" }
        // The format bounds those of a batch.
        if batches > 1, rows > Self.groupRowsMax { return "it has \(rows) samples; \(Self.groupRowsMax) is the most" }
        return nil
    }
}

extension TableLayout {
    /// Days that the samples of one transaction may lie on: the server locks each day's tables, and has room for some thousands of locks, for all
    /// transactions together. A hypertable's chunks are made within the transaction, and take some 15 locks a day, partitions that are there two.
    package var daysMax: Int {
        switch self {
        case .hypertables: 100
        case .partitions: 400
        }
    }
}
