import LinuxDriver
import Telemetry

/// `uptime_seconds`: the time since boot, suspended time included, in the hundredths that `/proc/uptime` has (proc_uptime(5)).
struct UptimeSampler {
    private let file: KernelFile
    private let series = Series("uptime_seconds")

    init(_ tree: SourceTree) { file = KernelFile(tree.path("/proc/uptime")) }

    func sample(into readings: inout [Reading], buffer: inout [UInt8]) {
        let count = file.readStart(into: &buffer)
        guard let hundredths = Self.hundredths(uptime: buffer.span.extracting(0..<count)) else { return }
        readings.append(Reading(series, Double(hundredths) / 100))
    }

    static func hundredths(uptime text: Span<UInt8>) -> UInt64? {
        var cursor = TextCursor()
        return cursor.hundredths(in: text)
    }
}
