import CertificateFixtures
import Foundation
import MongoDriver
import MongoFixtures
import Testing

extension Integration {
    /// What `doctor`, `migrate` and `/readyz` say of a MongoDB server that cannot be used: one clear message with what to do.
    @Suite(.enabled(if: MongoProgram.missing == nil, Comment(rawValue: MongoProgram.missing ?? "")))
    struct MongoTroubleTests {
        private struct Said {
            let code: Int32
            let output: String
        }

        private func doctor(_ uri: String, _ more: [String: String] = [:]) throws -> Said {
            let environment = more.merging(["FARWATCH_DOCUMENTS_MONGO_URI": uri]) { $1 }
            let answer = try RunningProcess.run(Programs.collector, ["doctor"], environment: environment)
            return Said(code: answer.code, output: answer.output)
        }

        /// The line that `doctor` has of the server, and the one after it, which says what to do.
        private func mongo(_ said: Said) -> String {
            let lines = said.output.split(separator: "\n")
            return lines.firstIndex { $0.contains(" mongo") }.map { lines[$0...].prefix(2).joined(separator: "\n") } ?? ""
        }

        private func expectReason(_ uri: String, _ words: [String], hidden: String? = nil) async throws {
            let said = try doctor(uri)
            #expect(said.code == 69, "\(said)")
            for word in words { #expect(mongo(said).contains(word), "\(word): \(said.output)") }
            if let hidden { #expect(!said.output.contains(hidden)) }
            let stage = try Stage()
            stage.settings["FARWATCH_DOCUMENTS_MONGO_URI"] = uri
            try stage.startBroker()
            try stage.startCollector()
            // It runs, samples flow, and it says what it lacks.
            try await stage.wait("the reason is told") {
                guard let answer = try? await stage.get("/readyz"), answer.status == 503 else { return false }
                return String(decoding: answer.body, as: UTF8.self).contains(words[0])
            }
            let body = String(decoding: try await stage.get("/readyz").body, as: UTF8.self)
            if let hidden { #expect(!body.contains(hidden)) }
            #expect(stage.collector?.terminate() == 0)
        }

        @Test func `a wrong password`() async throws {
            let node = try MongoNode(["--auth"])
            try MongoSession.run(MongoOptions("mongodb://" + node.address)) { (client) throws(MongoError) in
                try client.command(["createUser": "agent", "pwd": "open sesame", "roles": ["root"]], on: "admin")
            }
            try await expectReason(
                "mongodb://agent:geheim@" + node.address + "/?authSource=admin", ["Authentication failed", "check the user and authSource"],
                hidden: "geheim")
        }

        @Test func `a user who may only read`() throws {
            let node = try MongoNode(["--auth"])
            try MongoSession.run(MongoOptions("mongodb://" + node.address)) { (client) throws(MongoError) in
                try client.command(["createUser": "agent", "pwd": "open sesame", "roles": ["root"]], on: "admin")
            }
            try MongoSession.run(MongoOptions("mongodb://agent:open%20sesame@" + node.address + "/?authSource=admin")) {
                (client) throws(MongoError) in
                for (name, roles) in [("reader", ["read"]), ("writer", ["readWrite", "dbAdmin"])] {
                    let granted = roles.map { BSONValue.document(["role": .string($0), "db": "fleet"]) }
                    try client.command(["createUser": .string(name), "pwd": "open sesame", "roles": .array(granted)], on: "admin")
                }
            }
            func uri(_ user: String) -> String { "mongodb://\(user):open%20sesame@\(node.address)/fleet?authSource=admin" }
            let reader = try doctor(uri("reader"))
            #expect(reader.code == 69 && reader.output.contains("the user may not collMod, createCollection"), "\(reader)")
            #expect(reader.output.contains("readWrite and dbAdmin"))
            #expect(try !doctor(uri("writer")).output.contains("may not"))
        }

        @Test func `a server that is too old`() async throws {
            let node = try MongoNode()
            // Speaks of itself as 4.4 does, whose wire version is 9.
            let old = try StandInServer("older-mongo", before: node)
            defer { old.end() }
            try await expectReason("mongodb://127.0.0.1:\(old.port)/", ["unsupported_server", "use MongoDB 5.0 or later"])
        }

        @Test func `a certificate that has run out, of the server's or one's own`() async throws {
            let workshop = try CertificateWorkshop()
            try workshop.issue("authority", key: .p256, isAuthority: true)
            try workshop.issue("server", by: "authority", alternativeNames: "IP:127.0.0.1")
            try workshop.issue("late", by: "authority", to: "20200101000000Z")
            for name in ["server", "late"] { try workshop.join([name + ".pem", name + ".key"], as: name + "-both.pem") }
            let node = try MongoNode([
                "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", workshop.path("server-both.pem"), "--tlsCAFile",
                workshop.path("authority.pem"),
            ])
            let uri =
                "mongodb://" + node.address + "/?tls=true&tlsCAFile=" + workshop.path("authority.pem") + "&tlsCertificateKeyFile="
                + workshop.path("late-both.pem")
            try await expectReason(uri, ["tlsCertificateKeyFile", "run out"])
        }

        @Test func `a URI that cannot be meant ends doctor and migrate with 78`() throws {
            for uri in ["mongo://host", "mongodb://host/?w=0", "mongodb://user:geheim@host:port/"] {
                let said = try doctor(uri)
                #expect(said.code == 78 && said.output.contains("documents.mongo.uri") && !said.output.contains("geheim"), "\(said)")
                let migrated = try RunningProcess.run(Programs.collector, ["migrate"], environment: ["FARWATCH_DOCUMENTS_MONGO_URI": uri])
                #expect(migrated.code == 78, "\(migrated)")
            }
        }

        @Test func `one member of a replica set without the set's name is advised against`() async throws {
            let member = try SharedMongo.deployment(.replicaSet).primary().address
            let database = ["FARWATCH_DOCUMENTS_MONGO_DATABASE": "advised"]
            let advice = "add replicaSet=rs0 to documents.mongo.uri"
            #expect(try doctor("mongodb://" + member, database).output.contains(advice))
            #expect(try !doctor("mongodb://" + member + "/?replicaSet=rs0", database).output.contains(advice))
            let misnamed = try doctor("mongodb://" + member + "/?replicaSet=other", database)
            #expect(misnamed.code == 69 && misnamed.output.contains("called rs0, not other"), "\(misnamed)")
            #expect(misnamed.output.contains("say replicaSet=rs0"), "\(misnamed)")
            let stage = try Stage()
            stage.settings.merge(database.merging(["FARWATCH_DOCUMENTS_MONGO_URI": "mongodb://" + member]) { $1 }) { $1 }
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            try await stage.wait("it is logged") { stage.collector?.log.contains(advice) == true }
            #expect(stage.collector?.terminate() == 0)
        }
    }
}
