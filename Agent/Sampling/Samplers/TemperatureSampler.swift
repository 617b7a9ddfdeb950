import LinuxDriver
import Telemetry

/// `temperature_celsius` of the thermal zones and hwmon's sensors, in the thousandths that sysfs has.
struct TemperatureSampler {
    /// Millidegrees that a sensor can mean; a broken one gives -274 °C, or 65,535.
    private static let plausible: ClosedRange<Int64> = -273_150...1_000_000

    private struct Entry {
        let sensor: SensorTable.Sensor
        let file: KernelFile
        let series: Series

        init(_ sensor: SensorTable.Sensor) {
            self.sensor = sensor
            file = KernelFile(sensor.path)
            series = Series("temperature_celsius", [Label("sensor", sensor.name)])
        }
    }

    private let tree: SourceTree
    private var entries: [Entry] = []

    init(_ tree: SourceTree) { self.tree = tree }

    /// Looks for sensors again; one that was known keeps its open file.
    mutating func rediscover() {
        let table = SensorTable(tree)
        var found: [Entry] = []
        for sensor in table.sensors {
            found.append(entries.first { $0.sensor == sensor } ?? Entry(sensor))
        }
        entries = found
    }

    func sample(into readings: inout [Reading], buffer: inout [UInt8]) {
        for entry in entries {
            let count = entry.file.readStart(into: &buffer)
            guard let millidegrees = Self.millidegrees(buffer.span.extracting(0..<count)) else { continue }
            readings.append(Reading(entry.series, Double(millidegrees) / 1000))
        }
    }

    static func millidegrees(_ text: Span<UInt8>) -> Int64? {
        var cursor = TextCursor()
        guard let value = cursor.signed(in: text), plausible.contains(value) else { return nil }
        return value
    }
}
