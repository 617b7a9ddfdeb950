import AgentSampling
import Glibc
import LinuxDriver
import Telemetry
import Testing

@Suite(.timeLimit(.minutes(1))) struct LatencyProbeTests {
    /// A listening TCP socket of the loopback, or one that is bound only, so that nobody answers there.
    private final class Port {
        let fd: Int32
        let number: UInt16

        init(isListening: Bool = true, isIPv6: Bool = false) {
            fd = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var number: UInt16 = 0
            if isIPv6 {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_addr = in6addr_loopback
                number = Self.bound(fd, &address, { $0.sin6_port })
            } else {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
                number = Self.bound(fd, &address, { $0.sin_port })
            }
            self.number = number
            if isListening { listen(fd, 16) }
        }

        deinit { close(fd) }

        private static func bound<Address>(_ fd: Int32, _ address: inout Address, _ port: (Address) -> UInt16) -> UInt16 {
            var length = socklen_t(MemoryLayout<Address>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = bind(fd, $0, length)
                    _ = getsockname(fd, $0, &length)
                }
            }
            return UInt16(bigEndian: port(address))
        }
    }

    private func run(_ loop: EventLoop, _ probe: LatencyProbe, until count: Int, readings: inout [Reading]) throws {
        for _ in 0..<200 where readings.count < count {
            try loop.runOnce(waitMax: 20)
            probe.collect(into: &readings)
        }
    }

    @Test(arguments: [false, true]) func `a handshake's time is told once an answer`(_ isIPv6: Bool) throws {
        let port = Port(isIPv6: isIPv6)
        let loop = try EventLoop()
        let text = "tcp://" + (isIPv6 ? "[::1]" : "127.0.0.1") + ":\(port.number)"
        let probe = try LatencyProbe(
            targets: [LatencyTarget(text)], loop: loop,
            resolve: { _, _ in
                Issue.record("resolved an address")
                return nil
            }, onRefusal: { _ in })
        for _ in 0..<3 {
            probe.start(0)
            var readings: [Reading] = []
            try run(loop, probe, until: 2, readings: &readings)
            #expect(readings.texts == ["network_latency{target=\"\(text)\"}", "network_probe_success{target=\"\(text)\"}"])
            let seconds = try #require(readings.first?.value)
            #expect(seconds >= 0 && seconds < 1)
            #expect((seconds * 1_000_000).rounded() / 1_000_000 == seconds)
            #expect(readings.last?.value == 1)
            readings = []
            probe.collect(into: &readings)
            #expect(readings.isEmpty, "an answer is handed over once")
        }
    }

    @Test func `a refused connection is a failed probe without a latency`() throws {
        let port = Port(isListening: false)
        let loop = try EventLoop()
        let probe = try LatencyProbe(targets: [LatencyTarget("tcp://127.0.0.1:\(port.number)")], loop: loop) { _ in }
        probe.start(0)
        var readings: [Reading] = []
        try run(loop, probe, until: 1, readings: &readings)
        #expect(readings.map(\.series.metric) == ["network_probe_success"])
        #expect(readings.first?.value == 0)
    }

    @Test func `a probe without an answer fails after its time and is not begun twice`() throws {
        // A full backlog leaves further handshakes unanswered.
        let port = Port()
        listen(port.fd, 0)
        let loop = try EventLoop()
        let targets = try (0..<4).map { _ in try LatencyTarget("tcp://127.0.0.1:\(port.number)") }
        let probe = try LatencyProbe(targets: targets, loop: loop) { _ in }
        let started = Clock.system.boot()
        probe.start(0)
        var readings: [Reading] = []
        while Clock.system.boot() - started < LatencyProbe.answerTimeMax + 500 {
            try loop.runOnce(waitMax: 50)
            probe.collect(into: &readings)
        }
        let successes = readings.filter { $0.series.metric == "network_probe_success" }.map(\.value)
        #expect(successes.count == 4)
        #expect(successes.contains(0) && successes.contains(1))
    }

    @Test func `names are looked up one a start and each at most every five minutes`() throws {
        let port = Port()
        let loop = try EventLoop()
        var asked: [String] = []
        let probe = try LatencyProbe(
            targets: [LatencyTarget("tcp://a.test:\(port.number)"), LatencyTarget("tcp://b.test:\(port.number)")], loop: loop,
            resolve: { host, port in
                asked.append(host)
                return host == "a.test" ? SocketAddress(numeric: "127.0.0.1", port: port) : nil
            }, onRefusal: { _ in })
        var readings: [Reading] = []
        probe.start(0)
        #expect(asked == ["a.test"])
        try run(loop, probe, until: 2, readings: &readings)
        probe.start(1000)
        #expect(asked == ["a.test", "b.test"])
        try run(loop, probe, until: 5, readings: &readings)
        #expect(readings.value("network_probe_success{target=\"tcp://b.test:\(port.number)\"}") == 0)
        for second in 2..<300 { probe.start(Int64(second) * 1000) }
        #expect(asked.count == 2)
        probe.start(LatencyProbe.resolutionInterval)
        #expect(asked == ["a.test", "b.test", "a.test"])
        probe.stop()
    }

    /// icmp(7): the kernel lets only groups in `net.ipv4.ping_group_range` open echo sockets.
    private static let mayEcho: Bool = {
        let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), Int32(IPPROTO_ICMP))
        defer { if fd >= 0 { close(fd) } }
        return fd >= 0
    }()

    private func echoes(_ loop: EventLoop, _ text: String, onRefusal: @escaping (LatencyTarget) -> Void) throws -> LatencyProbe {
        try LatencyProbe(targets: [LatencyTarget(text), LatencyTarget(text)], loop: loop, onRefusal: onRefusal)
    }

    @Test(.enabled(if: mayEcho, "net.ipv4.ping_group_range does not let this group send echoes"), arguments: ["icmp://127.0.0.1", "icmp://[::1]"])
    func `an echo is measured`(_ text: String) throws {
        let loop = try EventLoop()
        let probe = try echoes(loop, text) { Issue.record("refused \($0.text)") }
        var readings: [Reading] = []
        probe.start(0)
        try run(loop, probe, until: 4, readings: &readings)
        #expect(readings.map(\.series.metric).sorted() == ["network_latency", "network_latency", "network_probe_success", "network_probe_success"])
        #expect(readings.allSatisfy { $0.series.metric == "network_latency" ? $0.value < 1 : $0.value == 1 })
    }

    @Test(.enabled(if: !mayEcho, "net.ipv4.ping_group_range lets this group send echoes"), arguments: ["icmp://127.0.0.1", "icmp://[::1]"])
    func `an echo that the kernel refuses is told once and measures nothing`(_ text: String) throws {
        let loop = try EventLoop()
        var refusals = 0
        let probe = try echoes(loop, text) { _ in refusals += 1 }
        var readings: [Reading] = []
        for second in 0..<3 {
            probe.start(Int64(second) * 1000)
            probe.collect(into: &readings)
        }
        #expect(refusals == 1)
        #expect(readings.isEmpty)
    }

    @Test func `more targets than the bound are refused`() throws {
        let loop = try EventLoop()
        let target = try LatencyTarget("icmp://127.0.0.1")
        #expect { try LatencyProbe(targets: [LatencyTarget](repeating: target, count: LatencyProbe.targetsMax + 1), loop: loop) { _ in } } throws: {
            ($0 as? SamplingError)?.reason == .tooManyTargets
        }
    }
}
