import SimulatedFleet
import Telemetry

/// A block whose ticks each stand for several.
struct ThinnedBlock {
    /// How far a mean may be from the one that is worked out here, as a part of the greatest value; and in units of the digit behind the values'
    /// last one, to which the device rounds it, once or, from minutes to ten minutes, twice.
    fileprivate static let meanTolerance = 1e-9
    fileprivate static let meanRounding = 0.6
    /// Beyond this many digits numbers are not rounded.
    fileprivate static let digitsMax = 12

    /// One of its ticks.
    struct Bucket {
        /// The first and last tick that it stands for.
        var first = -1
        var last = -1
        var count = 0
        fileprivate var values: [Series: Double] = [:]
    }

    private(set) var buckets: [Bucket]

    private static let lowest = suffixed(SimulatedMachine.tickSeries, ":min")
    private static let highest = suffixed(SimulatedMachine.tickSeries, ":max")
    private static let count = suffixed(SimulatedMachine.tickSeries, ":count")

    private static func suffixed(_ series: Series, _ suffix: String) -> Series { Series(series.metric + suffix, series.labels) }

    static func isOne(_ block: Block) -> Bool { block.columns.contains { $0.series == count } }

    init(_ block: Block, machine: SimulatedMachine) {
        var buckets = Array(repeating: Bucket(), count: block.timestamps.count)
        for column in block.columns { column.forEach { position, value in buckets[position].values[column.series] = value } }
        for index in buckets.indices {
            buckets[index].first = Int(exactly: buckets[index].values[Self.lowest] ?? -1) ?? -1
            buckets[index].last = Int(exactly: buckets[index].values[Self.highest] ?? -1) ?? -1
            buckets[index].count = Int(exactly: buckets[index].values[Self.count] ?? 0) ?? 0
        }
        self.buckets = buckets
    }
}

extension ThinnedBlock.Bucket {
    /// What is wrong with it, if it stands for these ticks.
    func complaint(about members: [Int], of machine: SimulatedMachine) -> String? {
        // A mean of NaNs and infinities says nothing.
        for (index, series) in machine.series.enumerated() where series.metric != SimulatedMachine.specialSeries {
            let right = members.compactMap { machine.value(of: index, at: $0) }
            let isCounter = ["_total", "_count", "_sum", "_bucket"].contains { series.metric.hasSuffix($0) }
            let mean = values[series]
            guard let lastOne = right.last else {
                if mean != nil { return "\(series) in the thinned tick \(first)…\(last), where there was none" }
                continue
            }
            if isCounter {
                if mean != lastOne { return "\(series) of the thinned tick \(first)…\(last) is \(told(mean)), not \(lastOne)" }
                continue
            }
            let lowest = right.min() ?? 0
            let highest = right.max() ?? 0
            let sum = right.reduce(0, +) / Double(right.count)
            let tolerance = ThinnedBlock.meanTolerance * max(abs(lowest), abs(highest)) + Self.rounding(of: right)
            let isMeanRight = mean.map { abs($0 - sum) <= tolerance } ?? false
            let parts = [(":min", lowest), (":max", highest), (":count", Double(right.count))]
            for (suffix, value) in parts where values[Series(series.metric + suffix, series.labels)] != value {
                return "\(series.metric + suffix) of the thinned tick \(first)…\(last) is not \(value)"
            }
            if !isMeanRight { return "\(series) of the thinned tick \(first)…\(last) is \(told(mean)), not \(sum)" }
        }
        return nil
    }

    /// What a mean of these values may have been rounded by.
    private static func rounding(of values: [Double]) -> Double {
        var unit = 1.0
        for _ in 0..<ThinnedBlock.digitsMax {
            if values.allSatisfy({ ($0 * unit).rounded() / unit == $0 }) { return ThinnedBlock.meanRounding / (unit * 10) }
            unit *= 10
        }
        return 0
    }

    private func told(_ value: Double?) -> String { value.map { "\($0)" } ?? "missing" }
}
