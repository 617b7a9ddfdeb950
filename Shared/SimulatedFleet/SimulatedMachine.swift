import Telemetry

/// A machine that is not there: what it would have sampled at each tick.
package struct SimulatedMachine: Sendable {
    /// Series beyond those that were asked for, in a machine that is to be checked: the one that numbers its ticks first.
    package static let checkedSeries = ["simulated_tick", "simulated_rough", "simulated_special", "simulated_sparse"]
    package static let tickSeries = Series(checkedSeries[0])
    /// The metric of the series with NaNs and infinities.
    package static let specialSeries = checkedSeries[2]

    package let series: [Series]
    private let shapes: [SimulatedSeries]
    private let seeds: [UInt64]

    /// `number` tells the machines of a fleet apart. A checked machine has `checkedSeries` too.
    package init(seed: UInt64, number: Int, seriesCount: Int, isChecked: Bool) {
        var shapes = Array(Self.agentLike.prefix(seriesCount))
        for channel in shapes.count..<max(shapes.count, seriesCount) {
            let series = Series("simulated_value", [Label("channel", String(channel))])
            shapes.append(SimulatedSeries(series: series, shape: .smooth(low: 0.05, high: 0.95, jitter: 0.01, decimals: 3)))
        }
        if isChecked { shapes += Self.checked }
        self.shapes = shapes
        series = shapes.map(\.series)
        let own = SplitMix.mixed(seed &+ SplitMix.mixed(UInt64(number)))
        seeds = shapes.indices.map { SplitMix.mixed(own &+ UInt64($0)) }
    }

    /// The value of the series that stands at `index` in `series`; nil when it has none at that tick.
    package func value(of index: Int, at tick: Int) -> Double? { shapes[index].value(at: Int64(tick), seed: seeds[index]) }

    package func readings(at tick: Int64) -> [Reading] {
        var readings: [Reading] = []
        readings.reserveCapacity(shapes.count)
        for index in shapes.indices {
            if let value = shapes[index].value(at: tick, seed: seeds[index]) { readings.append(Reading(series[index], value)) }
        }
        return readings
    }

    /// The names and the manner of what an agent samples, the data model's own three first.
    private static let agentLike: [SimulatedSeries] = {
        let network = [Label("interface", "eth0")]
        let disk = [Label("disk", "mmcblk0")]
        let target = [Label("target", "tcp://broker.example:1883")]
        func gauge(_ metric: String, _ range: ClosedRange<Double>, jitter: Double, decimals: Int, _ labels: [Label] = []) -> SimulatedSeries {
            SimulatedSeries(
                series: Series(metric, labels), shape: .smooth(low: range.lowerBound, high: range.upperBound, jitter: jitter, decimals: decimals))
        }
        func counter(_ metric: String, _ labels: [Label], step: Int64, unit: Int64) -> SimulatedSeries {
            SimulatedSeries(series: Series(metric, labels), shape: .counter(step: step, unit: unit))
        }
        return [
            gauge("cpu_usage", 0.02...0.4, jitter: 0.02, decimals: 4),
            gauge("memory_usage", 0.3...0.5, jitter: 0.0005, decimals: 4),
            gauge("network_latency", 0.001...0.01, jitter: 0.0005, decimals: 6, target),
            SimulatedSeries(series: Series("network_probe_success", target), shape: .constant(1)),
            gauge("load_average_1m", 0.05...1.5, jitter: 0.05, decimals: 2),
            gauge("load_average_5m", 0.1...1.2, jitter: 0.01, decimals: 2),
            gauge("load_average_15m", 0.2...1, jitter: 0.005, decimals: 2),
            counter("uptime_seconds", [], step: 10, unit: 1),
            gauge("disk_usage", 0.4...0.41, jitter: 0, decimals: 4, [Label("mount", "/")]),
            SimulatedSeries(series: Series("disk_size_bytes", [Label("mount", "/")]), shape: .constant(31_268_536_320)),
            counter("disk_read_bytes_total", disk, step: 8, unit: 512),
            counter("disk_written_bytes_total", disk, step: 160, unit: 512),
            counter("network_receive_bytes_total", network, step: 20_000, unit: 1),
            counter("network_transmit_bytes_total", network, step: 9_000, unit: 1),
            gauge("temperature_celsius", 42...55, jitter: 0.4, decimals: 1, [Label("sensor", "cpu-thermal")]),
        ]
    }()

    private static let checked = [
        SimulatedSeries(series: tickSeries, shape: .tickNumber),
        SimulatedSeries(series: Series(checkedSeries[1]), shape: .rough),
        SimulatedSeries(series: Series(checkedSeries[2]), shape: .special),
        SimulatedSeries(series: Series(checkedSeries[3]), shape: .sparse(oneIn: 5)),
    ]
}
