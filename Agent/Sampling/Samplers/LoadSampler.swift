import LinuxDriver
import Telemetry

/// Load averages in hundredths, as the kernel writes them: `/proc/loadavg` (proc_loadavg(5)).
struct LoadAverages: Equatable {
    let oneMinute: UInt64
    let fiveMinutes: UInt64
    let fifteenMinutes: UInt64

    init?(loadavg text: Span<UInt8>) {
        var cursor = TextCursor()
        guard let one = cursor.hundredths(in: text), let five = cursor.hundredths(in: text), let fifteen = cursor.hundredths(in: text)
        else { return nil }
        oneMinute = one
        fiveMinutes = five
        fifteenMinutes = fifteen
    }
}

/// `load_average_1m`, `load_average_5m` and `load_average_15m`.
struct LoadSampler {
    private let file: KernelFile
    private let oneMinute = Series("load_average_1m")
    private let fiveMinutes = Series("load_average_5m")
    private let fifteenMinutes = Series("load_average_15m")

    init(_ tree: SourceTree) { file = KernelFile(tree.path("/proc/loadavg")) }

    func sample(into readings: inout [Reading], buffer: inout [UInt8]) {
        let count = file.readStart(into: &buffer)
        guard let load = LoadAverages(loadavg: buffer.span.extracting(0..<count)) else { return }
        readings.append(Reading(oneMinute, Double(load.oneMinute) / 100))
        readings.append(Reading(fiveMinutes, Double(load.fiveMinutes) / 100))
        readings.append(Reading(fifteenMinutes, Double(load.fifteenMinutes) / 100))
    }
}
