import Foundation
import SQLiteDriver
import Telemetry
import Testing

extension Integration {
    /// Killing any part at any moment loses nothing and doubles nothing.
    @Suite struct DeliveryTests {
        /// What the collector's store holds of devices whose id begins so.
        private func stored(_ stage: Stage, prefix: String) throws -> (samples: Int64, blocks: Int64, distinct: Int64) {
            let database = try Database(path: stage.directory + "/collector/timeseries.sqlite", access: .readOnly)
            let of = "FROM blocks JOIN devices ON devices.number = blocks.device WHERE devices.device GLOB '\(prefix)*'"
            return (
                try database.integer("SELECT sum(blocks.samples) " + of) ?? 0, try database.integer("SELECT count(*) " + of) ?? 0,
                try database.integer("SELECT count(DISTINCT blocks.device || '/' || stream || '/' || sequence) " + of) ?? 0
            )
        }

        @Test func `agent, broker and collector killed in turn: produced = acknowledged = stored, no row twice`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try stage.startAgent()
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments([
                    "--devices", "20", "--interval", "0.05", "--seal-age", "0.5", "--for", "30s", "--backlog", "500", "--offline-fraction", "0.2",
                    "--drain", "120",
                ]), logPath: stage.directory + "/fleet.log")
            for round in 0..<6 {
                try await Task.sleep(for: .milliseconds(2_500 + round * 137))
                switch round % 3 {
                case 0:
                    stage.collector?.kill()
                    try await Task.sleep(for: .seconds(1))
                    try stage.startCollector()
                case 1:
                    stage.broker?.kill()
                    try await Task.sleep(for: .seconds(1))
                    try stage.startBroker()
                default:
                    stage.agent?.kill()
                    try stage.startAgent()
                }
            }
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)")
            let line = try #require(fleet.log.split(separator: "\n").last { $0.hasPrefix("{") })
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let produced = try #require(result["samples_produced"] as? Int64 ?? (result["samples_produced"] as? Int).map(Int64.init))
            #expect(produced >= 20 * 20 * 500)
            #expect(result["samples_acknowledged"] as? Int == Int(produced))
            #expect(result["batches_refused"] as? Int == 0)
            let stored = try stored(stage, prefix: "sim-")
            #expect(stored.samples == produced)
            #expect(stored.blocks == stored.distinct)
            #expect(stored.blocks == Int64(try #require(result["batches_sealed"] as? Int)))
            try await agentIsWhole(stage)
        }

        /// From the row of the buffer's file that says what it knows of itself: a format, the stream, the newest sequence.
        private static func newestSequence(_ buffer: Database) throws -> Int64 {
            let row = try buffer.prepare("SELECT bytes FROM state")
            try #require(try row.step())
            var reader = ByteReader(row.bytes(0))
            _ = try reader.take(9, "state.stream")
            return Int64(try reader.varint("state.newest"))
        }

        /// Every batch that the agent ever sealed is stored, once, whatever was killed.
        private func agentIsWhole(_ stage: Stage) async throws {
            try await stage.wait("the agent has delivered all it sealed", seconds: 60) {
                let status = try RunningProcess.run(Programs.agent, ["status", "--json", "--config", stage.directory + "/agent.yaml"])
                let json = try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any]
                return (json?["buffer"] as? [String: Any])?["unacknowledged_batches"] as? Int == 0
            }
            #expect(stage.agent?.terminate() == 0)
            let buffer = try Database(path: stage.directory + "/agent/buffer.sqlite", access: .readOnly)
            let newest = try Self.newestSequence(buffer)
            let collector = try Database(path: stage.directory + "/collector/timeseries.sqlite", access: .readOnly)
            let edge = "FROM blocks JOIN devices ON devices.number = blocks.device WHERE devices.device = 'edge-1'"
            let blocks = try #require(try collector.integer("SELECT count(*) " + edge))
            #expect(try collector.integer("SELECT count(DISTINCT sequence) " + edge) == blocks)
            #expect(try collector.integer("SELECT count(DISTINCT stream) " + edge) == 1)
            // The others are documents: facts at each of three starts.
            #expect(newest - blocks == 3)
            #expect(try collector.integer("SELECT max(sequence) " + edge) ?? 0 <= newest)
        }
    }
}
