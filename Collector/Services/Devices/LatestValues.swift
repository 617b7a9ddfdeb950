import DocumentStores
import Telemetry

/// What the fleet's list shows of a device's newest tick.
package struct LatestValues: Equatable, Sendable {
    /// UTC, milliseconds since 1970.
    package let at: Int64
    /// Ratio, 0…1.
    package let cpuUsage: Double?
    /// Ratio, 0…1.
    package let memoryUsage: Double?
    /// Seconds.
    package let networkLatency: Double?

    package init(_ tick: Tick) {
        at = tick.at
        cpuUsage = Self.value("cpu_usage", tick)
        memoryUsage = Self.value("memory_usage", tick)
        networkLatency = Self.value("network_latency", tick)
    }

    /// The metric's value without labels; of a metric that has them, the first.
    private static func value(_ metric: String, _ tick: Tick) -> Double? {
        let readings = tick.readings.filter { $0.series.metric == metric && $0.value.isFinite }
        return (readings.first { $0.series.labels.isEmpty } ?? readings.first)?.value
    }

    // MARK: The cache's `device:{id}:metrics`

    var cached: JSONValue {
        var members: [String: JSONValue] = ["at": .integer(at)]
        if let cpuUsage { members["cpu_usage"] = .number(cpuUsage) }
        if let memoryUsage { members["memory_usage"] = .number(memoryUsage) }
        if let networkLatency { members["network_latency"] = .number(networkLatency) }
        return .object(members)
    }

    init?(cached: JSONValue) {
        guard let at = cached["at"]?.integer else { return nil }
        self.at = at
        cpuUsage = cached["cpu_usage"]?.number
        memoryUsage = cached["memory_usage"]?.number
        networkLatency = cached["network_latency"]?.number
    }
}
