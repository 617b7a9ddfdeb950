import Foundation
import LinuxDriver
import MQTTDriver
import Synchronization
import Telemetry
import Testing

extension Integration {
    @Suite struct HostileTests {
        private static let device = DeviceId("evil-1")!
        private static let now = Int64(Date().timeIntervalSince1970 * 1000)

        private static func batch(
            _ payload: [UInt8], kind: BatchKind = .samples, device: DeviceId = HostileTests.device, sequence: UInt64 = 1
        ) -> [UInt8] {
            Batch(kind: kind, device: device, stream: 77, sequence: sequence, sealedAt: now, payload: payload[...]).encoded()
        }

        private static func block(at: Int64) -> [UInt8] { Block([Tick(at: at, readings: [Reading(Series("m"), 1)])]).encoded() }

        /// Messages that are refused with an acknowledgement for their sequence, and those that cannot be read at all.
        private static let refusedBatches: [[UInt8]] = [
            batch(block(at: 0), sequence: 1),  // 1970
            batch(block(at: 4_102_444_800_000), sequence: 2),  // 2100
            batch([1, 2, 3], sequence: 3),
            batch(Array(block(at: now).dropLast()), sequence: 4),
            batch(Array("not json".utf8), kind: .document, sequence: 5),
            batch(Array("[1]".utf8), kind: .event, sequence: 6),
            batch(Array((String(repeating: "[", count: 10_000)).utf8), kind: .document, sequence: 7),
        ]
        private static let unreadableMessages: [[UInt8]] = [
            [], Array("hello".utf8), Array(batch(block(at: now)).dropLast(9)), [UInt8](repeating: 0x46, count: 100_000),
            batch(block(at: now)) + [0],
        ]

        @Test func `malformed, truncated, oversized and foreign batches are refused with a reason and counted`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            let publisher = try Publisher(port: stage.brokerPort, listeningTo: Topic.ack(Self.device))
            defer { publisher.stop() }
            try await stage.wait("the publisher is connected") { publisher.isConnected }
            for bytes in Self.refusedBatches { publisher.publish(Topic.up(Self.device), bytes) }
            // A batch of another device on this one's topic.
            publisher.publish(Topic.up(Self.device), Self.batch(Self.block(at: Self.now), device: DeviceId("edge-1")!, sequence: 8))
            try await stage.wait("the device is told of each sequence") {
                let runs = publisher.received.compactMap { try? Acknowledgement(decoding: $0) }.filter { $0.stream == 77 }.flatMap(\.runs)
                let refused = runs.filter { if case .refused = $0.outcome { true } else { false } }
                return refused.reduce(0) { $0 + $1.count } >= UInt64(Self.refusedBatches.count)
            }
            // A device is told of what was unreadable at most once a second.
            try await Task.sleep(for: .milliseconds(1_100))
            for bytes in Self.unreadableMessages { publisher.publish(Topic.up(Self.device), bytes) }
            let expected = Double(Self.refusedBatches.count + 1 + Self.unreadableMessages.count)
            try await stage.wait("all are counted") { try await stage.metric("farwatch_ingest_refused_total") == expected }
            try await stage.wait("the device is told that something was unreadable") {
                publisher.received.compactMap { try? Acknowledgement(decoding: $0) }.contains { $0.stream == Acknowledgement.unreadableStream }
            }
            #expect(try await stage.device("edge-1") == nil)
            #expect(stage.collector?.isRunning == true)
        }

        @Test func `random bytes on every topic for a minute do not crash the collector, and an agent gets through meanwhile`() async throws {
            let seconds = Double(ProcessInfo.processInfo.environment["FARWATCH_TEST_HOSTILE_SECONDS"] ?? "60") ?? 60
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent()
            let publisher = try Publisher(port: stage.brokerPort, listeningTo: "farwatch/v1/nobody/ack")
            defer { publisher.stop() }
            try await stage.wait("the publisher is connected") { publisher.isConnected }
            let end = ContinuousClock.now + .seconds(seconds)
            var sent = 0
            let valid = Self.batch(Self.block(at: Self.now), kind: .samples, sequence: 9)
            while ContinuousClock.now < end {
                for _ in 0..<100 {
                    let device = ["evil-1", "evil 2", "edge-1", ".", "x", String(repeating: "y", count: 64), "ü"].randomElement() ?? "x"
                    let leaf = ["up", "ack", "status", "down/config", "down/command", "", "up/up"].randomElement() ?? "up"
                    var bytes = (0..<Int.random(in: 0...300)).map { _ in UInt8.random(in: .min ... .max) }
                    if Bool.random() {
                        bytes = valid
                        for _ in 0..<Int.random(in: 1...8) { bytes[Int.random(in: bytes.indices)] = UInt8.random(in: .min ... .max) }
                    }
                    publisher.publish("farwatch/v1/\(device)/\(leaf)", bytes)
                    sent += 1
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(stage.collector?.isRunning == true, "\(stage.logs)")
            #expect(stage.agent?.isRunning == true, "\(stage.logs)")
            #expect(sent > 1_000)
            #expect(try await stage.metric("farwatch_ingest_refused_total") > 100)
            try await stage.wait("the agent's samples are there, and new") {
                let latest = try await stage.device("edge-1")?["latest"] as? [String: Any]
                let at = (latest?["at"] as? String).flatMap { Timestamp.parse($0) } ?? 0
                return Double(at) > (Date().timeIntervalSince1970 - 5) * 1000
            }
        }

        @Test(arguments: [
            ("/v1/devices/nobody", 404), ("/v1/devices/a%20b", 400), ("/v1/devices/nobody/series", 404), ("/v1/devices/sim-1/series?from=x", 400),
            ("/v1/devices/sim-1/series?from=10&to=5", 400), ("/v1/devices/sim-1/series?step=0", 400),
            ("/v1/devices/sim-1/series?from=0&to=1700000000&step=1", 400), ("/v1/nothing", 404), ("/v1/certificates?status=odd", 400),
        ])
        func `a bad request gets a problem document`(path: String, status: Int) async throws {
            let stage = try Stage()
            try stage.startCollector()
            try await stage.wait("the collector answers") { try await stage.get("/livez").status == 200 }
            let answer = try await stage.get(path)
            #expect(answer.status == status)
            #expect(answer.type.hasPrefix("application/problem+json"))
            let problem = try #require(try JSONSerialization.jsonObject(with: answer.body) as? [String: Any])
            #expect(problem["status"] as? Int == status)
            #expect((problem["detail"] as? String)?.isEmpty == false)
        }

        @Test(arguments: ["NONSENSE", "GET / HTTP/1.1\\r\\nContent-Length: -1\\r\\n\\r\\n", "GET / HTTP/1.1\\r\\nno colon\\r\\n\\r\\n"])
        func `what is no HTTP gets a problem document too`(bytes: String) async throws {
            let stage = try Stage()
            try stage.startCollector()
            try await stage.wait("the collector answers") { try await stage.get("/livez").status == 200 }
            let script = "exec 3<>/dev/tcp/127.0.0.1/\(stage.httpPort); printf '\(bytes)\\r\\n\\r\\n' >&3; timeout 10 cat <&3"
            let answer = try RunningProcess.run("/bin/bash", ["-c", script])
            #expect(answer.output.hasPrefix("HTTP/1.1 400 "), "\(answer.output)")
            #expect(answer.output.lowercased().contains("content-type: application/problem+json"), "\(answer.output)")
            let body = try #require(answer.output.components(separatedBy: "\r\n\r\n").last)
            #expect((try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])?["status"] as? Int == 400)
        }

        @Test(.enabled(if: Programs.promtool != nil, "promtool is not installed")) func `promtool accepts the metrics`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent()
            try await stage.wait("batches came") { try await stage.metric("farwatch_ingest_batches_total") > 0 }
            let path = stage.directory + "/metrics.txt"
            try await stage.get("/metrics").body.write(to: URL(filePath: path))
            let result = try RunningProcess.run("/bin/sh", ["-c", "\(try #require(Programs.promtool)) check metrics < \(path)"])
            #expect(result.code == 0, "\(result.output)")
        }
    }
}
