import Foundation
import MongoDriver
import MongoFixtures
import Testing

extension Integration {
    /// What the programs ask of a cluster's `mongos`. There is none to be had: a member of a replica set speaks of itself as one, see
    /// `Tests/Servers/sharded-mongo`, and what only a mongos can do is written down.
    @Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? "")))
    struct ShardingTests {
        private static let shardKeys = [
            "devices": "deviceId", "certificates": "id", "transactions": "hash", "quantum_certificates": "id", "certificatePlaces": "_id",
            "certificateHistory": "_id", "certificateScans": "_id", "keyPlaces": "_id", "events": "_id", "training_data": "_id", "audit": "_id",
            "temporary": "_id",
        ]

        private struct Asked: Decodable, Equatable {
            var enableSharding: String?
            var shardCollection: String?
            var key: [String: Key]?
            var unique: Bool?
        }

        private enum Key: Decodable, Equatable {
            case ascending
            case hashed

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if (try? container.decode(String.self)) == "hashed" { self = .hashed } else { self = .ascending }
            }
        }

        private func asked(_ log: String) throws -> [Asked] {
            try String(contentsOfFile: log, encoding: .utf8).split(whereSeparator: \.isNewline).map {
                try JSONDecoder().decode(Asked.self, from: Data($0.utf8))
            }
        }

        @Test func `migrate has a cluster spread each collection by its key, a second time is as good, and documents come`() async throws {
            let set = try MongoDeployment(.replicaSet, members: 1)
            let stage = try Stage()
            let log = stage.directory + "/asked"
            let mongos = try StandInServer("sharded-mongo", before: set.nodes[0], log)
            defer { mongos.end() }
            stage.settings["FARWATCH_DOCUMENTS_MONGO_URI"] = "mongodb://127.0.0.1:\(mongos.port)/fleet"
            // It may not listen yet.
            try await stage.wait("the stand-in answers") {
                try RunningProcess.run(Programs.collector, ["migrate", "--plan"], environment: stage.collectorEnvironment).code == 0
            }
            for _ in 0..<2 {
                let done = try RunningProcess.run(Programs.collector, ["migrate"], environment: stage.collectorEnvironment)
                #expect(done.code == 0 && done.output.contains("a sharded cluster"), "\(done)")
            }
            let asked = try asked(log)
            let wanted = Self.shardKeys.map { name, field in
                Asked(shardCollection: "fleet." + name, key: [field: field == "_id" ? .hashed : .ascending], unique: field != "_id")
            }
            #expect(asked.count == 2 * (wanted.count + 1) && asked.first == Asked(enableSharding: "fleet"))
            for one in wanted { #expect(asked.filter { $0 == one }.count == 2, "\(one)") }

            try stage.startBroker()
            try stage.startCollector()
            try stage.startAgent()
            try await stage.wait("the device has told of itself, and is online", seconds: 240) {
                let device = try? await stage.json("/v1/devices/edge-1")
                return device?["status"] as? String == "online" && (device?["facts"] as? [String: Any])?["agent_version"] is String
            }
            #expect(stage.agent?.terminate() == 0)
            #expect(stage.collector?.terminate() == 0)
        }
    }
}
