import LinuxDriver
import Telemetry

/// `cpu_usage`: the processors' busy share of the time since the sample before.
struct CPUSampler {
    private let file: KernelFile
    private let series = Series("cpu_usage")
    private var earlier: CPUTimes?

    init(_ tree: SourceTree) { file = KernelFile(tree.path("/proc/stat")) }

    mutating func sample(into readings: inout [Reading], buffer: inout [UInt8]) {
        let count = file.readStart(into: &buffer)
        guard let times = CPUTimes(procStat: buffer.span.extracting(0..<count)) else {
            earlier = nil
            return
        }
        if let earlier, let usage = times.usage(since: earlier) { readings.append(Reading(series, usage)) }
        earlier = times
    }
}
