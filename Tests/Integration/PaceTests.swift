import Foundation
import SQLiteDriver
import Telemetry
import Testing

extension Integration {
    /// A collector whose store lags slows its devices down, and a device keeps to what it was told.
    @Suite struct PaceTests {
        @Test func `while the store lags devices are asked to send slower, then let go, and nothing is missing`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            let path = stage.directory + "/collector/timeseries.sqlite"
            try await stage.wait("the store is there") { FileManager.default.fileExists(atPath: path) }
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments([
                    "--devices", "20", "--interval", "0.1", "--seal-age", "0.5", "--for", "15s", "--backlog", "300", "--drain", "120",
                ]), logPath: stage.directory + "/fleet.log")
            try await stage.wait("samples arrive") { try await stage.metric("farwatch_ingest_samples_total") > 0 }
            try await hold(path, for: .seconds(4))
            try await stage.wait("devices are asked to send slower") { stage.collector?.log.contains("devices are asked to send slower") == true }
            try await stage.wait("devices are let go", seconds: 90) {
                stage.collector?.log.contains("devices may send as fast as they like again") == true
            }
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)")
            let line = try #require(fleet.log.split(separator: "\n").last { $0.hasPrefix("{") })
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let database = try Database(path: path, access: .readOnly)
            #expect(try database.integer("SELECT sum(samples) FROM blocks") == Int64(try #require(result["samples_produced"] as? Int)))
            let text = String(decoding: try await stage.get("/metrics").body, as: UTF8.self)
            #expect(!text.split(separator: "\n").contains { $0.hasPrefix("farwatch_ingest_pace_bytes_per_second ") })
        }

        /// Another process' writer in the store's file: the collector's commits wait for it.
        private func hold(_ path: String, for duration: Duration) async throws {
            let database = try Database(path: path, access: .readWriteCreate)
            try database.execute("BEGIN IMMEDIATE")
            try await Task.sleep(for: duration)
            try database.execute("ROLLBACK")
        }

        @Test func `an agent with a backlog sends no more of it than the collector's pace lets through`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            // An agent's buffer as it is after a day without a link.
            try #require(
                try RunningProcess.run(
                    Programs.fleetSimulator,
                    [
                        "--devices", "1", "--prefix", "edge", "--series", "15", "--backlog", "8640", "--interval", "10", "--seal-age", "60",
                        "--directory", stage.directory + "/agent", "--fill-only", "--quiet",
                    ]
                ).code == 0)
            let collector = try Publisher(port: stage.brokerPort, clientId: "collector", listeningTo: "farwatch/v1/edge-0001/up")
            defer { collector.stop() }
            try await stage.wait("the stand-in for the collector is connected") { collector.isConnected }
            let configuration = stage.directory + "/paced.yaml"
            try """
            device: {id: edge-0001}
            broker: {host: 127.0.0.1, port: \(stage.brokerPort)}
            sampling: {interval: 10s}
            buffer: {path: \(stage.directory)/agent/edge-0001.sqlite}
            status: {socket: \(stage.directory)/agent.sock}
            """.write(toFile: configuration, atomically: true, encoding: .utf8)
            let agent = try RunningProcess(Programs.agent, ["run", "--config", configuration], logPath: stage.directory + "/paced.log")
            defer { agent.kill() }
            let pace = 4_096
            let first = try await answer(collector, stage, with: pace, for: .seconds(2))
            let seconds = 8
            let paced = try await answer(collector, stage, with: pace, for: .seconds(seconds), from: first)
            // What is over is one batch that was begun before the rate was used up, and what the agent sampled meanwhile.
            let bytes = collector.received[first..<paced].reduce(0) { $0 + $1.count }
            #expect(bytes > pace * seconds / 4, "the backlog stands still: \(bytes) bytes")
            #expect(bytes < pace * (seconds + 3) + 8_192, "\(bytes) bytes in \(seconds) s at \(pace) bytes/s")
            #expect(agent.terminate() == 0)
        }

        /// Acknowledges what comes, as a collector does, with a pace. The number of messages that came in all.
        private func answer(_ collector: Publisher, _ stage: Stage, with pace: Int, for duration: Duration, from start: Int = 0) async throws -> Int {
            var answered = start
            let end = ContinuousClock.now + duration
            while ContinuousClock.now < end {
                let received = collector.received
                for bytes in received[answered...] {
                    let batch = try Batch(decoding: bytes)
                    let run = Acknowledgement.Run(first: batch.firstSequence, count: batch.span)
                    collector.publish(
                        "farwatch/v1/edge-0001/ack", Acknowledgement(stream: batch.stream, pace: pace, runs: [run]).encoded())
                }
                answered = received.count
                try await Task.sleep(for: .milliseconds(20))
            }
            return answered
        }
    }
}
