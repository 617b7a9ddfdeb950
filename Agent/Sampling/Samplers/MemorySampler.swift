import LinuxDriver
import Telemetry

/// `memory_usage`: the share of memory that programs could not have any more.
struct MemorySampler {
    private let file: KernelFile
    private let series = Series("memory_usage")

    init(_ tree: SourceTree) { file = KernelFile(tree.path("/proc/meminfo")) }

    func sample(into readings: inout [Reading], buffer: inout [UInt8]) {
        let count = file.readStart(into: &buffer)
        guard let usage = MemoryInformation(meminfo: buffer.span.extracting(0..<count))?.usage else { return }
        readings.append(Reading(series, usage))
    }
}
