import Glibc
import LinuxDriver

/// What the kernel says of this process, under the names that Prometheus' client libraries have agreed on.
package enum ProcessMetrics {
    package static func register(in registry: MetricsRegistry) {
        registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.") { Status.read().map { $0.residentBytes } }
        registry.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.") { Status.read().map { $0.virtualBytes } }
        registry.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.") { Status.read().map { $0.cpuSeconds } }
        registry.gauge("process_start_time_seconds", "Start time of the process since the Unix epoch in seconds.") {
            Status.read().flatMap { status in bootTime().map { $0 + status.startedSeconds } }
        }
        registry.gauge("process_open_fds", "Number of open file descriptors.") {
            (try? SmallFile.names(in: "/proc/self/fd", limit: 1_000_000)).map { Double($0.count) }
        }
        registry.gauge("process_max_fds", "Maximum number of open file descriptors.") {
            var limit = rlimit()
            return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Double(limit.rlim_cur) : nil
        }
    }

    /// The fields of `/proc/self/stat` that are used, proc(5).
    private struct Status {
        let cpuSeconds: Double
        /// After boot.
        let startedSeconds: Double
        let virtualBytes: Double
        let residentBytes: Double

        static func read() -> Status? {
            guard let bytes = try? SmallFile.read("/proc/self/stat", limit: 4096) else { return nil }
            // The second field is the program's name in parentheses and may hold anything; what is counted begins after the last one.
            guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
            let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " ")).map { Double(String(decoding: $0, as: UTF8.self)) ?? 0 }
            guard fields.count > 21 else { return nil }
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            // Field n of the manual page is at n - 3 here.
            return Status(
                cpuSeconds: (fields[11] + fields[12]) / ticks, startedSeconds: fields[19] / ticks, virtualBytes: fields[20],
                residentBytes: fields[21] * Double(sysconf(Int32(_SC_PAGESIZE))))
        }
    }

    /// `btime` of `/proc/stat`: seconds since 1970.
    private static func bootTime() -> Double? {
        guard let bytes = try? SmallFile.read("/proc/stat", limit: 1 << 20) else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: Array("btime ".utf8)) {
            return Double(String(decoding: line.dropFirst(6), as: UTF8.self))
        }
        return nil
    }
}
