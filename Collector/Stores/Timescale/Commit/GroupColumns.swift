import PostgresDriver
import Telemetry

/// The columns of a group's blocks with the numbers of their series, by number, written in slices: neither memory nor the time that the server gives a
/// statement grows with what a block unfolds to.
struct GroupColumns {
    struct Numbered {
        let column: Block.Column
        let timestamps: [Int64]
        let number: Int64
    }

    /// Samples after which a COPY ends, and buckets after which roll-ups are written; a series may bring as many again as a block has ticks.
    private static let sliceRowsMax = 50_000
    private static let sliceBucketsMax = 20_000

    private var columns: [Numbered] = []

    mutating func add(_ block: Block, number: (Series) -> Int64?) throws(PostgresError) {
        for column in block.columns {
            guard let number = number(column.series) else {
                throw PostgresError(.encoding, operation: "copy into metric_samples", detail: "a series has no number")
            }
            columns.append(Numbered(column: column, timestamps: block.timestamps, number: number))
        }
    }

    /// Within a transaction.
    /// - Parameter command: what is done after it, in the same round trip.
    func write(_ connection: PostgresConnection, then command: PostgresCommand) throws(PostgresError) {
        try copySamples(connection)
        try RollupTable(connection: connection).write(try mergeRollups(connection), then: [command])
    }

    private func copySamples(_ connection: PostgresConnection) throws(PostgresError) {
        var slice: [Numbered] = []
        var rows = 0
        for column in columns where !SampleRows.isWide(column.column.series) {
            slice.append(column)
            rows += column.column.values.count
            guard rows >= Self.sliceRowsMax else { continue }
            try copy(slice, connection)
            slice.removeAll(keepingCapacity: true)
            rows = 0
        }
        if !slice.isEmpty { try copy(slice, connection) }
    }

    private func copy(_ slice: [Numbered], _ connection: PostgresConnection) throws(PostgresError) {
        try connection.copyIn(TimeTable.metricSamples.name, columns: SampleRows.sampleColumns) { (writer) throws(PostgresError) in
            for one in slice { try SampleRows.writeSampleRows(one.column, of: one.number, at: one.timestamps, to: writer) }
        }
    }

    /// Columns of one series stay together, so that a bucket that several batches bring to is written once.
    /// - Returns: those that are left to be written.
    private func mergeRollups(_ connection: PostgresConnection) throws(PostgresError) -> GroupRollups {
        var rollups = GroupRollups()
        var last: Int64?
        for one in columns.sorted(by: { $0.number < $1.number }) {
            if one.number != last, rollups.count >= Self.sliceBucketsMax {
                try RollupTable(connection: connection).write(rollups)
                rollups = GroupRollups()
            }
            last = one.number
            rollups.add(one.column, of: one.number, at: one.timestamps)
        }
        return rollups
    }
}
