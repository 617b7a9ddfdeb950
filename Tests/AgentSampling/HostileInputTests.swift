import AgentSampling
import Foundation
import Telemetry
import Testing

/// Whatever the files hold, a sample ends, stays within its bounds and its values are numbers.
@Suite struct HostileInputTests {
    static let files = [
        "proc/stat", "proc/meminfo", "proc/loadavg", "proc/diskstats", "proc/net/dev", "proc/self/mounts",
        "sys/class/thermal/thermal_zone0/temp", "sys/class/thermal/thermal_zone0/type", "sys/class/hwmon/hwmon1/name",
        "sys/class/hwmon/hwmon1/temp1_input", "sys/class/hwmon/hwmon1/temp1_label", "proc/sys/kernel/hostname", "etc/os-release",
    ]

    private func check(_ machine: ScratchMachine, _ comment: Comment) {
        let sampler = machine.sampler()
        for _ in 0..<2 {
            let readings = sampler.sample()
            #expect(readings.count <= 5 + 2 * 96 + 32 + 1, comment)
            for reading in readings {
                #expect(reading.value.isFinite, comment)
                if reading.series.metric.hasSuffix("_usage") { #expect((0...1).contains(reading.value), comment) }
            }
        }
        #expect(!DeviceFacts(root: machine.root).json(agentVersion: "1").isEmpty)
    }

    @Test(arguments: ["x86-server", "raspberry-pi", "container"]) func `files cut anywhere are harmless`(_ fixture: String) throws {
        let machine = try ScratchMachine()
        let originals = Self.files.map { path in
            [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: SampledMachine.fixtures + fixture + "/" + path))) ?? Data())
        }
        for step in 0..<60 {
            for (path, original) in zip(Self.files, originals) { try machine.write(path, original.prefix(original.count * step / 60)) }
            check(machine, "cut at \(step)/60")
        }
    }

    @Test(arguments: 0..<40) func `random bytes and fields changed at random are harmless`(_ seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed) &* 0x9E37_79B9 &+ 1)
        let machine = try ScratchMachine()
        for path in Self.files {
            if seed % 2 == 0 {
                try machine.write(path, (0..<Int.random(in: 0...6000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
            } else {
                var bytes = [UInt8]((try? Data(contentsOf: URL(fileURLWithPath: SampledMachine.fixtures + "x86-server/" + path))) ?? Data("7".utf8))
                for _ in 0..<20 {
                    bytes[Int.random(in: bytes.indices, using: &random)] = "0123456789 \n\t:-.\\\u{0}z".utf8.randomElement(using: &random)!
                }
                try machine.write(path, bytes)
            }
        }
        check(machine, "seed \(seed)")
    }

    @Test(arguments: [
        "18446744073709551615", "18446744073709551616", "9223372036854775808", "99999999999999999999999999999999", "-1", "-9223372036854775808", "",
    ])
    func `numbers of any size are harmless`(_ number: String) throws {
        let machine = try ScratchMachine()
        try machine.write("proc/stat", "cpu  \(number) \(number) 1 \(number) 1 1 1 1\ncpu\(number) 1\n")
        try machine.write("proc/meminfo", "MemTotal: \(number) kB\nMemFree: \(number) kB\nBuffers: \(number) kB\nCached: \(number) kB\n")
        try machine.write("proc/loadavg", "\(number).00 \(number).99 1.00 1/1 1\n")
        try machine.write("proc/diskstats", "8 0 sda 1 1 \(number) 1 1 1 \(number) 1 0 1 1\n")
        try machine.write("proc/net/dev", "eth0: \(number) 1 0 0 0 0 0 0 \(number) 1 0 0 0 0 0 0\n")
        try machine.write("proc/self/mounts", "/dev/sda1 /\\777\\400\\000\\0 ext4 rw 0 0\n")
        try machine.write("sys/class/thermal/thermal_zone\(number)/temp", "\(number)\n")
        try machine.write("sys/class/thermal/thermal_zone0/temp", "\(number)\n")
        check(machine, "\(number)")
    }

    @Test func `files larger than the bound are read up to it`() throws {
        let machine = try ScratchMachine()
        let line = "eth0: 7 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n"
        try machine.write("proc/net/dev", line + String(repeating: "lo: 1\n", count: 100_000))
        try machine.write("proc/diskstats", String(repeating: "x", count: 1_000_000))
        #expect(machine.sampler().sample().value(#"network_receive_bytes_total{interface="eth0"}"#) == 7)
    }
}

/// splitmix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
