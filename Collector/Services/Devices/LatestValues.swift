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

    /// What it is taken from.
    static let metrics = ["cpu_usage", "memory_usage", "network_latency"]

    /// When the latency was measured.
    private let networkLatencyAt: Int64?

    /// How long a latency is shown when ticks come without one, in milliseconds: it is sampled less often than the rest.
    private static let carriedMax: Int64 = 60_000

    /// What a tick shows; where it has no latency, the one shown before it, if that is not too old.
    package init(_ tick: Tick, after earlier: LatestValues? = nil) {
        at = tick.at
        cpuUsage = Self.value("cpu_usage", tick)
        memoryUsage = Self.value("memory_usage", tick)
        if let latency = Self.value("network_latency", tick) {
            networkLatency = latency
            networkLatencyAt = tick.at
        } else if let earlier, let measured = earlier.networkLatencyAt, tick.at - measured <= Self.carriedMax {
            networkLatency = earlier.networkLatency
            networkLatencyAt = measured
        } else {
            networkLatency = nil
            networkLatencyAt = nil
        }
    }

    /// The metric's value without labels; of a metric that has them, the first.
    private static func value(_ metric: String, _ tick: Tick) -> Double? {
        let readings = tick.readings.filter { $0.series.metric == metric && $0.value.isFinite }
        return (readings.first { $0.series.labels.isEmpty } ?? readings.first)?.value
    }

    // MARK: In the cache

    var cached: JSONValue {
        var members: [String: JSONValue] = ["at": .integer(at)]
        if let cpuUsage { members["cpu_usage"] = .number(cpuUsage) }
        if let memoryUsage { members["memory_usage"] = .number(memoryUsage) }
        if let networkLatency { members["network_latency"] = .number(networkLatency) }
        if let networkLatencyAt { members["network_latency_at"] = .integer(networkLatencyAt) }
        return .object(members)
    }

    init?(cached: JSONValue) {
        guard let at = cached["at"]?.integer else { return nil }
        self.at = at
        cpuUsage = cached["cpu_usage"]?.number
        memoryUsage = cached["memory_usage"]?.number
        networkLatency = cached["network_latency"]?.number
        networkLatencyAt = cached["network_latency_at"]?.integer
    }
}
