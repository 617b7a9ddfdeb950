import Foundation
import SQLiteDriver
import Testing

extension Integration {
    @Suite struct EndToEndTests {
        /// A certificate file for the agent to find.
        private func certificate(in directory: String) throws -> String {
            let path = directory + "/device.pem"
            let made = try RunningProcess.run(
                "/usr/bin/env",
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10", "-subj",
                    "/CN=edge-1.example", "-keyout", directory + "/device.key", "-out", path,
                ])
            try #require(made.code == 0, "\(made.output)")
            return path
        }

        @Test func `what the agent samples and finds is read back over HTTP`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent("certificates: {paths: [\(try certificate(in: stage.directory))]}")
            try await stage.wait("the device is online with values") {
                let device = try await stage.device("edge-1")
                let latest = device?["latest"] as? [String: Any]
                return device?["status"] as? String == "online" && latest?["cpu_usage"] is Double && latest?["memory_usage"] is Double
                    && latest?["network_latency"] is Double && device?["worst_certificate"] is [String: Any]
            }
            let detail = try await stage.json("/v1/devices/edge-1")
            #expect((detail["facts"] as? [String: Any])?["agent_version"] is String)
            let certificates = try #require(detail["certificates"] as? [[String: Any]])
            #expect(certificates.first?["subject"] as? String == "CN=edge-1.example")
            #expect(certificates.first?["status"] as? String == "critical" && certificates.first?["validity"] as? String == "untrusted")
            #expect(certificates.first?["trusted"] as? Bool == false)
            let series = try #require(try await stage.json("/v1/devices/edge-1/series?step=1&metric=cpu_usage")["series"] as? [[String: Any]])
            let points = try #require(series.first?["points"] as? [[Double]])
            #expect(points.count >= 1)
            #expect(points.allSatisfy { (0...1).contains($0[1]) && $0[2] <= $0[1] && $0[1] <= $0[3] })
        }

        @Test func `SIGTERM seals, delivers, says offline, and exits 0`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent()
            try await stage.wait("the device is online") { try await stage.device("edge-1")?["status"] as? String == "online" }
            #expect(stage.agent?.terminate() == 0)
            try await stage.wait("the device is offline") { try await stage.device("edge-1")?["status"] as? String == "offline" }
            let status = try RunningProcess.run(Programs.agent, ["status", "--json", "--config", stage.directory + "/agent.yaml"])
            #expect(status.code == 3)
            let json = try #require(try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any])
            let buffer = try #require(json["buffer"] as? [String: Any])
            #expect(buffer["unacknowledged_batches"] as? Int == 0)
            #expect(buffer["unsealed_ticks"] as? Int == 0)
        }

        @Test func `both daemons start without a broker, say so once, and connect when it comes`() async throws {
            let stage = try Stage()
            try stage.startCollector()
            try stage.startAgent()
            try await stage.wait("the collector answers, not ready") { try await stage.get("/readyz").status == 503 }
            try await stage.wait("the agent complains") { stage.agent?.log.contains("not connected to the broker") == true }
            try await Task.sleep(for: .seconds(4))
            #expect(stage.agent?.log.components(separatedBy: "not connected to the broker").count == 2)
            #expect(stage.collector?.log.components(separatedBy: "not connected to the broker").count == 2)
            try stage.startBroker()
            try await stage.wait("the device is online", seconds: 60) { try await stage.device("edge-1")?["status"] as? String == "online" }
        }

        @Test func `the service manager hears READY, WATCHDOG and STOPPING`() async throws {
            let stage = try Stage()
            let path = stage.directory + "/notify.sock"
            let socket = try NotifySocket(path)
            try stage.startAgent(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"])
            try await stage.wait("ready and alive") {
                socket.drain()
                return socket.messages.contains("READY=1") && socket.messages.count { $0 == "WATCHDOG=1" } >= 3
            }
            #expect(stage.agent?.terminate() == 0)
            socket.drain()
            // Signs of life may follow while the last batch is on its way.
            #expect(socket.messages.contains("STOPPING=1"))
        }

        @Test func `the service manager hears READY, WATCHDOG and STOPPING of the collector too`() async throws {
            let stage = try Stage()
            let path = stage.directory + "/notify.sock"
            let socket = try NotifySocket(path)
            stage.settings = ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"]
            try stage.startCollector()
            try await stage.wait("ready and alive") {
                socket.drain()
                return socket.messages.contains("READY=1") && socket.messages.count { $0 == "WATCHDOG=1" } >= 3
            }
            // Ready is whoever can be asked.
            #expect(try await stage.get("/livez").status == 200)
            #expect(stage.collector?.terminate() == 0)
            socket.drain()
            #expect(socket.messages.last == "STOPPING=1")
        }

        @Test func `a data directory that cannot be written ends with 73 and says which`() throws {
            let collector = try RunningProcess.run(Programs.collector, ["serve"], environment: ["FARWATCH_DATA_DIRECTORY": "/proc/nowhere"])
            #expect(collector.code == 73)
            #expect(collector.output.contains("/proc/nowhere"))
            let agent = try RunningProcess.run(
                Programs.agent, ["run"], environment: ["FARWATCH_BUFFER_PATH": "/proc/nowhere/buffer.sqlite", "FARWATCH_DEVICE_ID": "a"])
            #expect(agent.code == 73)
            #expect(agent.output.contains("/proc/nowhere"))
        }

        @Test(arguments: [Programs.agent, Programs.collector]) func `a wrong configuration ends with 78 and names file, line, key and reason`(
            program: String
        ) throws {
            let path = FileManager.default.temporaryDirectory.appending(path: "wrong-\(UUID().uuidString).yaml").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            try "broker:\n  host: b\n  port: many\n".write(toFile: path, atomically: true, encoding: .utf8)
            let result = try RunningProcess.run(program, ["check-config", "--config", path])
            #expect(result.code == 78)
            #expect(result.output.contains("\(path):3: broker.port: expected a whole number from 1 to 65535, got \"many\""))
        }

        @Test(arguments: [["run", "--bogus"], [], ["run", "status"]]) func `wrong usage of the agent ends with 64`(arguments: [String]) throws {
            #expect(try RunningProcess.run(Programs.agent, arguments).code == 64)
        }

        @Test func `a buffer that turns out to be damaged in use is put aside, and the agent goes on`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent()
            try await stage.wait("batches are stored") { try await stage.metric("farwatch_ingest_batches_total") >= 3 }
            let descriptors = { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(try #require(stage.agent).id)/fd").count }
            let usual = try descriptors()
            #expect(stage.agent?.terminate() == 0)
            let path = stage.directory + "/agent/buffer.sqlite"
            let root: Int64
            let pageBytes: Int64
            do {
                let database = try Database(path: path)
                try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                root = try #require(try database.integer("SELECT rootpage FROM sqlite_master WHERE name = 'batches'"))
                pageBytes = try #require(try database.integer("PRAGMA page_size"))
            }
            let file = try FileHandle(forUpdating: URL(filePath: path))
            try file.seek(toOffset: UInt64((root - 1) * pageBytes))
            try file.write(contentsOf: Data(repeating: 0x5A, count: 16))
            try file.close()
            let before = try await stage.metric("farwatch_ingest_batches_total")
            try stage.startAgent()
            try await stage.wait("new batches are stored") { try await stage.metric("farwatch_ingest_batches_total") >= before + 4 }
            #expect(stage.agent?.isRunning == true)
            // One probe more or less may be under way; the broker's sockets of before must not be.
            #expect(try descriptors() < usual + 3)
            let names = try FileManager.default.contentsOfDirectory(atPath: stage.directory + "/agent")
            #expect(names.contains { $0.hasPrefix("buffer.sqlite.damaged-") })
            #expect(!names.contains("buffer.sqlite.condemned"))
        }

        @Test(.enabled(if: getuid() == 0, "mounting a small disk needs root")) func `on a full disk every tick is stored or told of`() async throws {
            let stage = try Stage()
            let disk = stage.directory + "/agent"
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
            let mounted = try RunningProcess.run("/usr/bin/env", ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk])
            try #require(mounted.code == 0, "\(mounted.output)")
            defer { _ = try? RunningProcess.run("/usr/bin/env", ["umount", "-l", disk]) }
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent()
            try await stage.wait("the device is online") { try await stage.device("edge-1")?["status"] as? String == "online" }
            // Again and again: the buffer keeps a reserve, and others may be quicker to take what it gives up.
            let filling = "dd if=/dev/zero of=\(disk)/filler bs=4k oflag=append conv=notrunc 2>/dev/null; true"
            let fill = { _ = try RunningProcess.run("/bin/sh", ["-c", filling]) }
            let status = { () throws -> [String: Any] in
                let answer = try RunningProcess.run(Programs.agent, ["status", "--json", "--config", stage.directory + "/agent.yaml"])
                return try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
            }
            let ticks = { () throws -> Int in try #require(try status()["ticks"] as? Int) }
            let before = try ticks()
            try await stage.wait("the agent has sampled on while the disk was full") {
                try fill()
                return try ticks() >= before + 50
            }
            try FileManager.default.removeItem(atPath: disk + "/filler")
            let sampled = try Int64(ticks())
            try await stage.wait("every tick is stored, or in a receipt", seconds: 60) {
                let samples = try Database(path: stage.directory + "/collector/timeseries.sqlite", access: .readOnly)
                let documents = try Database(path: stage.directory + "/collector/documents.sqlite", access: .readOnly)
                let stored = try samples.integer("SELECT sum(ticks) FROM blocks") ?? 0
                let told =
                    try documents.integer(
                        "SELECT sum(body ->> '$.body.ticks') FROM events WHERE body ->> '$.type' = 'eviction_receipt'") ?? 0
                return stored + told >= sampled
            }
            #expect(stage.agent?.isRunning == true)
        }

        @Test func `a second agent on the same buffer is refused`() async throws {
            let stage = try Stage()
            try stage.startAgent()
            try await stage.wait("the first runs") { stage.agent?.log.contains("started") == true }
            let second = try RunningProcess.run(Programs.agent, ["run", "--config", stage.directory + "/agent.yaml"])
            #expect(second.code == 1)
            #expect(second.output.contains("another process has it open"))
        }
    }
}

/// A datagram socket such as systemd's, for sd_notify(3).
private final class NotifySocket {
    private let fd: Int32
    private(set) var messages: [String] = []

    init(_ path: String) throws {
        fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try #require(bound == 0)
    }

    deinit { close(fd) }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while case let count = recv(fd, &bytes, bytes.count, 0), count > 0 { messages.append(String(decoding: bytes[..<count], as: UTF8.self)) }
    }
}
