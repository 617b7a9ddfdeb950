import Foundation
import ServiceSupport
import Testing

@Suite struct MetricsRegistryTests {
    @Test func `counters, gauges and histograms are rendered as Prometheus reads them`() {
        let registry = MetricsRegistry()
        let requests = registry.counter("demo_requests_total", "Requests.\nBy \\route.", labels: ["route"])
        let depth = registry.gauge("demo_depth", "Depth.")
        let duration = registry.histogram("demo_duration_seconds", "Duration.", bounds: [0.1, 1])
        requests.add(1, "/a\"b\\c\nd")
        requests.add(2.5, "/z")
        depth.set(-3)
        duration.observe(0.1)
        duration.observe(0.5)
        duration.observe(7)
        #expect(
            registry.render() == """
                # HELP demo_requests_total Requests.\\nBy \\\\route.
                # TYPE demo_requests_total counter
                demo_requests_total{route="/a\\"b\\\\c\\nd"} 1
                demo_requests_total{route="/z"} 2.5
                # HELP demo_depth Depth.
                # TYPE demo_depth gauge
                demo_depth -3
                # HELP demo_duration_seconds Duration.
                # TYPE demo_duration_seconds histogram
                demo_duration_seconds_bucket{le="0.1"} 1
                demo_duration_seconds_bucket{le="1"} 2
                demo_duration_seconds_bucket{le="+Inf"} 3
                demo_duration_seconds_sum 7.6
                demo_duration_seconds_count 3

                """)
    }

    @Test func `a metric without labels is there from the start, at zero`() {
        let registry = MetricsRegistry()
        _ = registry.counter("demo_total", "Nothing yet.")
        #expect(registry.render().hasSuffix("demo_total 0\n"))
    }

    @Test func `series beyond the bound are counted together`() {
        let registry = MetricsRegistry()
        let counter = registry.counter("demo_total", "By what devices send.", labels: ["what"])
        for index in 0..<MetricsRegistry.seriesMax + 500 { counter.add(1, "value \(index)") }
        #expect(counter.value("other") == 500)
        #expect(registry.render().split(separator: "\n").count == MetricsRegistry.seriesMax + 1 + 2)
    }

    @Test func `counting from many tasks loses nothing`() async {
        let counter = MetricsRegistry().counter("demo_total", "Raced for.")
        await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<1_000 { counter.add() } } }
        }
        #expect(counter.value() == 8_000)
    }

    @Test func `the kernel's numbers of this process are plausible`() throws {
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry)
        func value(_ name: String) throws -> Double {
            let line = try #require(registry.render().split(separator: "\n").first { $0.hasPrefix(name + " ") })
            return try #require(Double(line.split(separator: " ")[1]))
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_cpu_seconds_total") >= 0)
        let age = Date().timeIntervalSince1970 - (try value("process_start_time_seconds"))
        #expect(age > -2 && age < 86_400)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")))
    func `promtool finds nothing to say`() throws {
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry)
        registry.counter("demo_requests_total", "Requests.", labels: ["route"]).add(1, "a\"\\\n")
        registry.histogram("demo_duration_seconds", "Duration.", labels: ["route"]).observe(0.3, "x")
        let promtool = Process()
        promtool.executableURL = URL(fileURLWithPath: "/usr/bin/promtool")
        promtool.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        promtool.standardInput = input
        promtool.standardOutput = output
        promtool.standardError = output
        try promtool.run()
        try input.fileHandleForWriting.write(contentsOf: Data(registry.render().utf8))
        try input.fileHandleForWriting.close()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        promtool.waitUntilExit()
        #expect(promtool.terminationStatus == 0 && said.isEmpty, "\(said)")
    }
}
