import LinuxDriver
import Telemetry

/// What a device is: told to the collector when it changes, not sampled. What the machine does not tell is nil and left out.
package struct DeviceFacts: Equatable, Sendable {
    /// Files of these facts are a few lines.
    private static let fileBytesMax = 16 * 1024

    package let hostname: String?
    /// `PRETTY_NAME` of os-release(5).
    package let os: String?
    /// The kernel's release, `6.1.0-18-arm64`.
    package let kernel: String?
    /// The machine's architecture as uname(2) has it, `aarch64`.
    package let architecture: String
    /// The board or the computer, `Raspberry Pi 4 Model B Rev 1.4`.
    package let model: String?
    /// Processors that run.
    package let cpuCount: Int64?
    package let memoryBytes: Int64?

    package init(root: String = "/") {
        let tree = SourceTree(root: root)
        hostname = Self.line(tree.path("/proc/sys/kernel/hostname"))
        os = Self.prettyName(tree)
        kernel = Self.line(tree.path("/proc/sys/kernel/osrelease"))
        architecture = Machine.architecture
        model = Self.line(tree.path("/proc/device-tree/model")) ?? Self.line(tree.path("/sys/class/dmi/id/product_name"))
        cpuCount = Self.cpuCount(tree)
        memoryBytes = Self.memoryBytes(tree)
    }

    /// The document of these facts.
    package func json(agentVersion: String) -> String {
        var writer = JSONWriter()
        writer.object { object in
            if let hostname { object.string("hostname", hostname) }
            if let os { object.string("os", os) }
            if let kernel { object.string("kernel", kernel) }
            object.string("architecture", architecture)
            if let model { object.string("model", model) }
            if let cpuCount { object.integer("cpu_count", cpuCount) }
            if let memoryBytes { object.integer("memory_bytes", memoryBytes) }
            object.string("agent_version", agentVersion)
        }
        return writer.text
    }

    /// The id a device goes by when none is configured: its hostname in a device id's alphabet. Nil for a machine whose name says nothing,
    /// since a second such machine would be taken for the same.
    package var proposedDeviceId: DeviceId? {
        guard let hostname, !["localhost", "localhost.localdomain", "(none)"].contains(where: { $0 == hostname }) else { return nil }
        var text = ""
        for scalar in hostname.unicodeScalars.prefix(DeviceId.lengthMax) {
            // A letter is tried behind one that is legal, since a dot alone is no id.
            let isLegal = DeviceId("x" + String(Character(scalar))) != nil
            text += isLegal ? String(Character(scalar)) : "-"
        }
        return DeviceId(text)
    }

    // MARK: Sources

    private static func contents(_ path: String) -> [UInt8]? { try? SmallFile.read(path, limit: fileBytesMax) }

    /// A file's first line, up to a NUL, which ends a device tree's texts.
    private static func line(_ path: String) -> String? {
        guard let bytes = contents(path) else { return nil }
        let text = LabelText.of(bytes.prefix { $0 != 0 && $0 != UInt8(ascii: "\n") })
        return text.isEmpty ? nil : text
    }

    private static func prettyName(_ tree: SourceTree) -> String? {
        // os-release(5): /etc/os-release takes precedence over /usr/lib/os-release.
        guard let bytes = contents(tree.path("/etc/os-release")) ?? contents(tree.path("/usr/lib/os-release")) else { return nil }
        return OperatingSystemName.parse(osRelease: bytes)
    }

    private static func cpuCount(_ tree: SourceTree) -> Int64? {
        guard let bytes = try? SmallFile.read(tree.path("/proc/stat")) else { return nil }
        let count = ProcessorCount.parse(procStat: bytes.span)
        return count > 0 ? count : nil
    }

    private static func memoryBytes(_ tree: SourceTree) -> Int64? {
        guard let bytes = contents(tree.path("/proc/meminfo")), let memory = MemoryInformation(meminfo: bytes.span) else { return nil }
        let (total, isTooLarge) = memory.total.multipliedReportingOverflow(by: 1024)
        return isTooLarge ? nil : Int64(exactly: total)
    }
}

/// The lines `cpu0`, `cpu1`, … of `/proc/stat`, one for each processor that runs.
enum ProcessorCount {
    static func parse(procStat text: Span<UInt8>) -> Int64 {
        var cursor = TextCursor()
        var count: Int64 = 0
        repeat {
            guard cursor.skip("cpu", in: text) else { continue }
            let number = cursor.index
            cursor.skipDigits(in: text)
            if cursor.index > number { count += 1 }
        } while cursor.skipLine(in: text)
        return count
    }
}
