import AgentSampling
import Foundation
import Telemetry
import Testing

/// A `/proc` and `/sys` tree of somebody else with the values that somebody else's program reads from it, when it is at hand:
/// node_exporter's fixtures under `$FARWATCH_SHARED/host`.
@Suite(.enabled(if: Oracle.isAtHand, "the oracle's archive is absent: set FARWATCH_SHARED to the folder with host/node-exporter-fixtures.tar.xz"))
struct OracleTests {
    @Test func `loads, memory, disks and temperatures are what node_exporter reads`() throws {
        let oracle = try Oracle()
        let readings = SampledMachine(root: oracle.root).sampler().sample()
        #expect(readings.value("load_average_1m") == oracle.value("node_load1"))
        #expect(readings.value("load_average_5m") == oracle.value("node_load5"))
        #expect(readings.value("load_average_15m") == oracle.value("node_load15"))

        let parts = ["MemFree", "Buffers", "Cached"].map { oracle.value("node_memory_\($0)_bytes") ?? .nan }
        let total = try #require(oracle.value("node_memory_MemTotal_bytes"))
        let usage = try #require(readings.value("memory_usage"))
        #expect(abs(usage - (1 - parts.reduce(0, +) / total)) <= 0.00005)

        for disk in ["sda", "sdb", "sdc", "vda", "nvme0n1", "mmcblk0"] {
            for metric in ["disk_read_bytes_total", "disk_written_bytes_total"] {
                let expected = try #require(oracle.value("node_\(metric){device=\"\(disk)\"}"))
                #expect(readings.value("\(metric){disk=\"\(disk)\"}") == expected)
            }
        }
        #expect(readings.count { $0.series.metric == "disk_read_bytes_total" } == 6)

        let zone = oracle.values("node_thermal_zone_temp{")
        let chips = oracle.values("node_hwmon_temp_celsius{")
        #expect(chips.count > 10)
        #expect(readings.filter { $0.series.metric == "temperature_celsius" }.map(\.value).sorted() == (zone + chips).sorted())
    }

    @Test func `the processors' share between boot and the fixture is node_exporter's sum over them`() throws {
        let oracle = try Oracle()
        // The oracle lists each processor, our sampler reads the line of all of them; the kernel's own sums differ by rounding.
        let idle =
            (oracle.values("node_cpu_seconds_total{", with: "mode=\"idle\"") + oracle.values("node_cpu_seconds_total{", with: "mode=\"iowait\""))
            .reduce(0, +)
        let all = oracle.values("node_cpu_seconds_total{").reduce(0, +)
        let machine = try ScratchMachine()
        let sampler = machine.sampler()
        try machine.write("proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\n")
        _ = sampler.sample()
        try machine.write("proc/stat", Data(contentsOf: URL(fileURLWithPath: oracle.root + "/proc/stat")))
        let usage = try #require(sampler.sample().value("cpu_usage"))
        #expect(abs(usage - (all - idle) / all) < 0.001)
    }
}

/// The oracle's tree in a folder of its own, removed with its owner.
final class Oracle {
    private static let archive: String = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let shared = ProcessInfo.processInfo.environment["FARWATCH_SHARED"] ?? package.path + "/../shared"
        return shared + "/host/node-exporter-fixtures.tar.xz"
    }()
    static var isAtHand: Bool { FileManager.default.isReadableFile(atPath: archive) }

    private let folder: String
    private let lines: [Substring]
    var root: String { folder + "/node_exporter/collector/fixtures" }

    init() throws {
        folder = NSTemporaryDirectory() + "farwatch-oracle-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "-xJf", Self.archive, "-C", folder]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        lines = try String(contentsOfFile: folder + "/node_exporter/collector/fixtures/e2e-output.txt", encoding: .utf8).split(separator: "\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func value(_ series: String) -> Double? { values(series + " ").first }

    func values(_ prefix: String, with label: String = "") -> [Double] {
        lines.filter { $0.hasPrefix(prefix) && (label.isEmpty || $0.contains(label)) }.compactMap {
            $0.split(separator: " ").last.flatMap { Double($0) }
        }
    }
}
