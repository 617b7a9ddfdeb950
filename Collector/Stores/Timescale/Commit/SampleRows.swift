import PostgresDriver
import Telemetry
import TimeSeriesStores

/// How a block's samples become rows.
enum SampleRows {
    /// Read from `device_metrics` alone; every other series has its samples in `metric_samples`.
    static let wideSeries = [Series("cpu_usage"), Series("memory_usage")]
    /// Its first target is in `device_metrics` too.
    static let latencyMetric = "network_latency"

    static func isWide(_ series: Series) -> Bool { wideSeries.contains(series) }

    // MARK: device_metrics

    static let deviceColumns = ["device_id", "cpu_usage", "memory_usage", "network_latency", "certificate_status", "timestamp"]

    /// A row for each tick that has one of the values.
    /// - Parameter status: of the device's worst certificate; nil when that is not known for the time of the block.
    static func writeDeviceRows(_ block: Block, of device: DeviceId, status: String?, to writer: CopyWriter) throws(PostgresError) {
        let wanted = [
            block.columns.first { $0.series == wideSeries[0] }, block.columns.first { $0.series == wideSeries[1] },
            block.columns.first { $0.series.metric == latencyMetric },
        ]
        guard wanted.contains(where: { $0 != nil }) else { return }
        var columns = wanted.map { $0.map(Cursor.init) }
        let name = Array(device.text.utf8)
        let status = status.map { Array($0.utf8) }
        for (index, time) in block.timestamps.enumerated() {
            let (cpu, memory, latency) = (columns[0]?.value(at: index), columns[1]?.value(at: index), columns[2]?.value(at: index))
            guard cpu != nil || memory != nil || latency != nil else { continue }
            try writer.beginRow()
            writer.bytes(name)
            write(cpu, to: writer)
            write(memory, to: writer)
            write(latency, to: writer)
            if let status { writer.bytes(status) } else { writer.null() }
            writer.timestamp(time)
        }
    }

    private static func write(_ value: Double?, to writer: CopyWriter) {
        if let value { writer.double(value) } else { writer.null() }
    }

    /// Walks through a column, tick by tick.
    private struct Cursor {
        private let column: Block.Column
        private var next = 0

        init(_ column: Block.Column) { self.column = column }

        mutating func value(at index: Int) -> Double? {
            guard column.presence?[index] ?? true else { return nil }
            defer { next += 1 }
            return column.values[next]
        }
    }

    // MARK: metric_samples

    static let sampleColumns = ["series", "timestamp", "value"]

    static func writeSampleRows(
        _ column: Block.Column, of number: Int64, at timestamps: [Int64], to writer: CopyWriter
    ) throws(PostgresError) {
        var next = 0
        for (index, time) in timestamps.enumerated() where column.presence?[index] ?? true {
            try writer.beginRow()
            writer.integer(number)
            writer.timestamp(time)
            writer.double(column.values[next])
            next += 1
        }
    }

    // MARK: sample_batches

    static let batchColumns = [
        "device", "stream", "first", "last", "started", "timestamp", "interval_ms", "ticks", "samples", "resolution", "pauses",
    ]

    static func writeBatchRow(
        _ batch: Batch, _ block: Block, _ ticks: TickCoverage, device: Int64, to writer: CopyWriter
    ) throws(PostgresError) {
        try writer.beginRow()
        writer.integer(device)
        writer.integer(Int64(bitPattern: batch.stream))
        writer.integer(Int64(bitPattern: batch.firstSequence))
        writer.integer(Int64(bitPattern: batch.sequence))
        writer.timestamp(ticks.start)
        writer.timestamp(ticks.end)
        writer.integer(ticks.interval)
        writer.integer4(Int32(block.timestamps.count))
        writer.integer(Int64(block.sampleCount))
        writer.integer4(Int32(clamping: batch.resolution))
        if ticks.pauses.isEmpty { writer.null() } else { writer.bytes(ticks.encodedPauses) }
    }
}
