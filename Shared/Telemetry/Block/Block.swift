/// Many ticks, encoded by columns: one of timestamps, one a series. The same bytes are the buffer's row, the payload of a
/// batch and the embedded store's record. The bytes are laid out in `Shared/README.md`.
package struct Block: Equatable, Sendable {
    package static let ticksMax = 65_536
    package static let columnsMax = 4_096
    /// Ticks times columns: a block of few bytes must not unfold into gigabytes.
    package static let samplesMax = 1 << 20
    package static let labelsMax = 32
    /// A series' metric name, label names and values together, in bytes.
    package static let seriesBytesMax = 2_048

    /// What went before 2 was never released.
    static let format: UInt8 = 2

    /// The values of one series.
    package struct Column: Equatable, Sendable {
        package let series: Series
        /// For each tick whether there is a value; nil when there is one at every tick.
        package let presence: [Bool]?
        /// The values that are there, in the order of their ticks; at least one.
        package let values: [Double]
    }

    /// One a tick, UTC, milliseconds since 1970, in the order the ticks were taken.
    package let timestamps: [Int64]
    package let columns: [Column]

    /// Samples in all: the values that are there.
    package var sampleCount: Int { columns.reduce(0) { $0 + $1.values.count } }

    init(timestamps: [Int64], columns: [Column]) {
        self.timestamps = timestamps
        self.columns = columns
    }

    /// Turns ticks, at least one, into columns; series stand in the order of their first appearance. A series that comes twice in a tick
    /// keeps its first value; one whose name the format cannot carry is left out.
    package init(_ ticks: [Tick]) {
        precondition(!ticks.isEmpty && ticks.count <= Self.ticksMax, "a block has 1…ticksMax ticks")
        var builder = ColumnBuilder(tickCount: ticks.count)
        for (index, tick) in ticks.enumerated() { builder.add(tick.readings, at: index) }
        self.init(timestamps: ticks.map { $0.at }, columns: builder.columns())
    }

    /// The ticks again, each with the values it has.
    package func ticks() -> [Tick] {
        var ticks = timestamps.map { Tick(at: $0, readings: []) }
        for column in columns {
            column.forEach { tick, value in ticks[tick].readings.append(Reading(column.series, value)) }
        }
        return ticks
    }
}

extension Block.Column {
    /// Each value that is there, with the index of its tick.
    package func forEach(_ body: (_ tick: Int, _ value: Double) -> Void) {
        guard let presence else {
            for (tick, value) in values.enumerated() { body(tick, value) }
            return
        }
        var next = 0
        for (tick, isPresent) in presence.enumerated() where isPresent {
            body(tick, values[next])
            next += 1
        }
    }
}
