import Foundation
import MongoDriver
import MongoFixtures
import ServerFixtures
import Telemetry
import Testing

extension Integration {
    /// The collector with its documents on a real MongoDB server.
    @Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? "")))
    struct MongoStoreTests {
        private func startCollector(_ stage: Stage, on deployment: MongoDeployment) async throws {
            stage.settings["FARWATCH_DOCUMENTS_MONGO_URI"] = deployment.uri
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
        }

        private func stored(_ deployment: MongoDeployment, _ filter: BSONDocument = [:], in name: String) throws -> [BSONDocument] {
            try MongoSession.run(MongoOptions(deployment.uri)) { (client) throws(MongoError) in
                try client.find(MongoFind(filter, limit: 1_000), in: name)
            }
        }

        @Test func `with MongoDB down samples still flow, and documents come when it is back`() async throws {
            let deployment = try MongoDeployment(.single)
            let stage = try Stage()
            try await startCollector(stage, on: deployment)
            let ready = try await stage.json("/readyz")
            #expect((ready["details"] as? [String: String])?["documents"]?.hasPrefix("MongoDB 6") == true)
            // A collector that is killed would leave it there for good.
            let id = try #require(stage.collector?.id)
            #expect(!FileManager.default.fileExists(atPath: "/dev/shm/mongoc-\(id)"))
            deployment.nodes[0].kill()
            try await stage.wait("the collector says that its documents' store is down") {
                let answer = try await stage.get("/readyz")
                return answer.status == 503 && String(decoding: answer.body, as: UTF8.self).contains("MongoDB cannot")
            }
            // New to the collector: facts and certificates wait, samples do not.
            try stage.startAgent()
            try await stage.wait("samples are taken") { try await stage.metric("farwatch_ingest_samples_total") > 100 }
            try await stage.wait("documents are not") { try await stage.metric("farwatch_ingest_untaken_total") > 0 }
            #expect(try await stage.metric("farwatch_mongo_available") == 0)
            let before = try await stage.metric("farwatch_ingest_samples_total")
            try await stage.wait("more samples are taken") { try await stage.metric("farwatch_ingest_samples_total") > before + 50 }
            try deployment.nodes[0].start()
            try await stage.waitForCollector()
            try await stage.wait("the device has told of itself, and is online", seconds: 120) {
                let device = try await stage.json("/v1/devices/edge-1")
                return device["status"] as? String == "online" && (device["facts"] as? [String: Any])?["agent_version"] is String
            }
            let devices = try stored(deployment, in: "devices")
            #expect(devices.map { $0["deviceId"] } == ["edge-1"])
            #expect(stage.agent?.terminate() == 0)
            #expect(stage.collector?.terminate() == 0)
            // Documents were kept nowhere else.
            #expect(!FileManager.default.fileExists(atPath: stage.directory + "/collector/documents.sqlite"))
        }

        @Test func `while MongoDB's majority stands still samples flow, and all documents come afterwards`() async throws {
            let deployment = try MongoDeployment(.replicaSet)
            // The primary stays one, and answers whoever only asks.
            try deployment.set(electionTimeout: 120_000)
            let stage = try Stage()
            try await startCollector(stage, on: deployment)
            let primary = try deployment.primary()
            let others = deployment.nodes.filter { $0 !== primary }
            for node in others { node.signal(SIGSTOP) }
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                ["--port", "\(stage.brokerPort)", "--directory", stage.directory + "/fleet", "--json", "--devices", "10"]
                    + ["--interval", "0.05", "--seal-age", "0.5", "--for", "25s", "--drain", "120"],
                logPath: stage.directory + "/fleet.log")
            try await stage.wait("the collector says that its documents' store is down") {
                let answer = try await stage.get("/readyz")
                return answer.status == 503 && String(decoding: answer.body, as: UTF8.self).contains("MongoDB cannot")
            }
            // Samples go on: several times within what one commit might wait.
            var taken = try await stage.metric("farwatch_ingest_samples_total")
            for _ in 0..<4 {
                let before = taken
                try await stage.wait("samples are taken", seconds: 8) {
                    taken = try await stage.metric("farwatch_ingest_samples_total")
                    return taken > before + 500
                }
            }
            #expect(try await stage.metric("farwatch_mongo_available") == 0)
            for node in others { node.signal(SIGCONT) }
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)")
            try await stage.waitForCollector()
            try await stage.wait("all devices are known, with when they were last seen") {
                try stored(deployment, ["lastSeen": ["$exists": true]], in: "devices").count == 10
            }
            let line = try #require(fleet.log.split(separator: "\n").last { $0.hasPrefix("{") })
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(try await stage.metric("farwatch_ingest_samples_total") >= Double(try #require(result["samples_produced"] as? Int)))
            #expect(stage.collector?.terminate() == 0)
        }

        @Test func `a fleet's documents survive the loss of a primary under load`() async throws {
            let deployment = try MongoDeployment(.replicaSet)
            let stage = try Stage()
            try await startCollector(stage, on: deployment)
            func startFleet(_ prefix: String) throws -> RunningProcess {
                try RunningProcess(
                    Programs.fleetSimulator,
                    ["--port", "\(stage.brokerPort)", "--directory", stage.directory + "/" + prefix, "--json", "--prefix", prefix]
                        + ["--devices", "20", "--interval", "0.05", "--seal-age", "0.5", "--for", "10s", "--drain", "120"],
                    logPath: stage.directory + "/\(prefix).log")
            }
            let first = try startFleet("one")
            try await Task.sleep(for: .seconds(2))
            try deployment.primary().kill()
            // Devices that are new while there is no primary.
            let second = try startFleet("two")
            #expect(first.waitForExit() == 0, "\(first.log)\n\(stage.logs)")
            #expect(second.waitForExit() == 0, "\(second.log)\n\(stage.logs)")
            try await stage.waitForCollector()
            try await stage.wait("all devices are known, with when they were last seen") {
                try stored(deployment, ["lastSeen": ["$exists": true]], in: "devices").count == 40
            }
            let line = try #require(first.log.split(separator: "\n").last { $0.hasPrefix("{") })
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(try await stage.metric("farwatch_ingest_samples_total") >= Double(try #require(result["samples_produced"] as? Int)))
            #expect(stage.collector?.terminate() == 0)
        }

        @Test func `a document that the rules refuse goes into quarantine, and holds up no other`() async throws {
            let deployment = try MongoDeployment(.single)
            let stage = try Stage()
            try await startCollector(stage, on: deployment)
            // Stricter than what the collector wrote by, as if it had been stored by an older one.
            let rule: BSONValue = ["$jsonSchema": ["properties": ["body": ["properties": ["reason": ["bsonType": "string"]]]]]]
            try MongoSession.run(MongoOptions(deployment.uri)) { (client) throws(MongoError) in
                try client.command(["collMod": "events", "validator": rule], .write)
            }
            let device = try #require(DeviceId("edge-1"))
            let publisher = try Publisher(port: stage.brokerPort, clientId: "edge-1", listeningTo: Topic.ack(device))
            defer { publisher.stop() }
            try await stage.wait("the publisher is connected") { publisher.isConnected }
            let now = Int64(Date().timeIntervalSince1970 * 1_000)
            for (sequence, reason) in [(1, "\"a\""), (2, "4711"), (3, "\"c\"")] as [(UInt64, String)] {
                let json = "{\"type\":\"started\",\"reason\":\(reason)}"
                let batch = Batch(kind: .event, device: device, stream: 7, sequence: sequence, sealedAt: now, payload: Array(json.utf8)[...])
                publisher.publish(Topic.up(device), batch.encoded())
            }
            try await stage.wait("all are answered") {
                publisher.received.compactMap { try? Acknowledgement(decoding: $0) }.flatMap { $0.runs }.reduce(0) { $0 + Int($1.count) } == 3
            }
            #expect(try stored(deployment, in: "events").compactMap { $0["_id"]?.text } == ["edge-1/7/1", "edge-1/7/3"])
            let quarantine = try await stage.json("/v1/quarantine")
            let items = try #require(quarantine["items"] as? [[String: Any]])
            #expect(items.count == 1)
            let reason = try #require(items.first?["reason"] as? String)
            #expect(reason.hasPrefix("store_refused") && reason.contains("field body.reason") && !reason.contains("4711"), "\(reason)")
        }

        @Test func `another collector, with a directory of its own, knows the same devices`() async throws {
            let deployment = try MongoDeployment(.single)
            let stage = try Stage()
            try await startCollector(stage, on: deployment)
            try stage.startAgent()
            try await stage.wait("the device has told of itself") { try stored(deployment, ["facts": ["$exists": true]], in: "devices").count == 1 }
            var environment = stage.collectorEnvironment
            let port = LoopbackPort.free()
            environment["FARWATCH_HTTP_PORT"] = "\(port)"
            environment["FARWATCH_DATA_DIRECTORY"] = stage.directory + "/other"
            let other = try RunningProcess(Programs.collector, ["serve"], environment: environment, logPath: stage.directory + "/other.log")
            defer { other.kill() }
            try await stage.wait("the other one knows the device") {
                let answer = try RunningProcess.run("/usr/bin/env", ["curl", "-sf", "http://127.0.0.1:\(port)/v1/devices"])
                return answer.output.contains("edge-1")
            }
            #expect(other.terminate() == 0)
        }

        @Test func `what another writes of a device's certificates is shown, through the loss of a primary too`() async throws {
            let deployment = try MongoDeployment(.replicaSet)
            let stage = try Stage()
            try await startCollector(stage, on: deployment)
            try await stage.wait("changes are followed") { try await stage.metric("farwatch_mongo_following") == 1 }
            func worst(_ id: String) async throws -> String? {
                let devices = try #require(try await stage.json("/v1/devices")["devices"] as? [[String: Any]])
                return (devices.first { $0["id"] as? String == id }?["worst_certificate"] as? [String: Any])?["path"] as? String
            }
            // As another collector does.
            func write(_ id: String, _ path: String) throws {
                try MongoSession.run(MongoOptions(deployment.uri)) { (client) throws(MongoError) in
                    let device: BSONDocument = ["_id": .string(id), "deviceId": .string(id), "status": "online", "firstSeen": .date(1)]
                    try client.write([.replace(filter: ["_id": .string(id)], device)], in: "devices")
                    let name = id + "|c|" + path
                    let place: BSONDocument = [
                        "_id": .string(name), "device": .string(id), "path": .string(path), "certificate": "c", "trusted": false, "scan": .int64(1),
                        "notAfter": .date(1),
                    ]
                    try client.write([.replace(filter: ["_id": .string(name)], place)], in: "certificatePlaces")
                }
            }
            try write("one", "/a.pem")
            try await stage.wait("the first is shown", seconds: 120) { try await worst("one") == "/a.pem" }
            try deployment.primary().kill()
            var isWritten = false
            for _ in 0..<60 where !isWritten { isWritten = (try? write("two", "/b.pem")) != nil }
            #expect(isWritten)
            try await stage.wait("the second is shown", seconds: 120) { (try? await worst("two")) == "/b.pem" }
            #expect(try await stage.metric("farwatch_mongo_following") == 1)
            #expect(stage.collector?.terminate() == 0)
        }

        @Test func `a database is set up by command, and then nothing is missing`() throws {
            let options = try SharedMongo.deployment(.single).options()
            func migrate(_ arguments: [String], _ uri: String? = nil) throws -> (code: Int32, output: String) {
                let environment = [
                    "FARWATCH_DOCUMENTS_MONGO_URI": try uri ?? SharedMongo.deployment(.single).uri,
                    "FARWATCH_DOCUMENTS_MONGO_DATABASE": options.database,
                ]
                return try RunningProcess.run(Programs.collector, ["migrate"] + arguments, environment: environment)
            }
            #expect(try migrate(["--plan"]).output.contains("missing: collection devices"))
            func doctor(_ uri: String) throws -> (code: Int32, output: String) {
                let environment = ["FARWATCH_DOCUMENTS_MONGO_URI": uri, "FARWATCH_DOCUMENTS_MONGO_DATABASE": options.database]
                return try RunningProcess.run(Programs.collector, ["doctor"], environment: environment)
            }
            #expect(try doctor(SharedMongo.deployment(.single).uri).output.contains("missing: collection devices"))
            let done = try migrate([])
            #expect(done.code == 0 && done.output.contains("applied: index device_1_notAfter_1__id_1 of certificatePlaces"), "\(done)")
            #expect(try migrate(["--plan"]).output.contains("nothing is missing"))
            let nobody = try migrate([], "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300")
            let ill = try doctor("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300")
            #expect(ill.code == 69 && ill.output.contains("start the server, or check hosts"), "\(ill)")
            #expect(try doctor(SharedMongo.deployment(.single).uri).output.contains("nothing is missing"))
            #expect(nobody.code == 69 && nobody.output.contains("MongoDB cannot"), "\(nobody)")
        }

        @Test func `a user without a password and files that are not there are mistakes in the configuration`() throws {
            let stage = try Stage()
            for (uri, wrong) in [
                ("mongodb://farwatch@127.0.0.1:1/", "a user without a password: add documents.mongo.password_file"),
                ("mongodb://farwatch:@127.0.0.1:1/", "a user without a password"),
                ("mongodb://127.0.0.1:1/?tls=true&tlsCAFile=/nowhere", "tlscafile: cannot read /nowhere"),
                ("mongodb://127.0.0.1:1/?tls=true&tlsCertificateKeyFile=/nowhere", "tlscertificatekeyfile: cannot read /nowhere"),
            ] {
                for command in ["check-config", "doctor", "migrate", "serve"] {
                    let environment = stage.collectorEnvironment.merging(["FARWATCH_DOCUMENTS_MONGO_URI": uri]) { $1 }
                    let checked = try RunningProcess.run(Programs.collector, [command], environment: environment)
                    #expect(checked.code == 78 && checked.output.lowercased().contains(wrong), "\(command): \(checked)")
                }
            }
            // A certificate's subject needs none.
            let x509 = ["FARWATCH_DOCUMENTS_MONGO_URI": "mongodb://CN%3Dfarwatch@127.0.0.1:1/?authMechanism=MONGODB-X509"]
            let checked = try RunningProcess.run(Programs.collector, ["check-config"], environment: stage.collectorEnvironment.merging(x509) { $1 })
            #expect(checked.code == 0, "\(checked)")
        }

        @Test func `a URI that cannot be meant is a mistake in the configuration, and no password is told`() throws {
            let stage = try Stage()
            let file = stage.directory + "/collector.yaml"
            let text = """
                documents:
                  mongo:
                    uri: "mongodb://user:geheim@host/?w=0"
                    connections_max: 0
                    events_kept: 5m
                """
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let checked = try RunningProcess.run(Programs.collector, ["check-config", "--config", file])
            #expect(checked.code == 78)
            for key in ["uri", "connections_max", "events_kept"] { #expect(checked.output.contains("documents.mongo." + key), "\(checked.output)") }
            #expect(!checked.output.contains("geheim"))
        }
    }
}
