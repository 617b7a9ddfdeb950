import Foundation
import PostgresDriver
import PostgresFixtures
import ServerFixtures
import Testing

extension Integration {
    /// `farwatch-collector doctor` beside real servers, well and ill.
    @Suite struct DoctorTests {
        private struct Finding {
            let state: String
            let subject: String
            let detail: String
            let remedy: String?
        }

        private func doctor(_ environment: [String: String]) throws -> (code: Int32, findings: [Finding]) {
            let answer = try RunningProcess.answer(of: Programs.collector, ["doctor", "--json"], environment: environment)
            let json = try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any], "\(answer)")
            let findings = try #require(json["findings"] as? [[String: Any]]).map { one in
                Finding(
                    state: one["state"] as? String ?? "", subject: one["subject"] as? String ?? "", detail: one["detail"] as? String ?? "",
                    remedy: one["remedy"] as? String)
            }
            #expect(json["ok"] as? Bool == (answer.code == 0))
            return (answer.code, findings)
        }

        private func settings(_ stage: Stage, _ server: PostgresServer, _ database: PostgresOptions) -> [String: String] {
            let uri = "postgres://postgres@127.0.0.1:\(server.port)/\(database.keywords["dbname"] ?? "")"
            return stage.collectorEnvironment.merging(["FARWATCH_TIMESERIES_POSTGRES_URI": uri]) { $1 }
        }

        @Test func `the agent's doctor says what is well, and what to do where something is not`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try stage.startAgent()
            let arguments = ["--config", stage.directory + "/agent.yaml"]
            func doctor() throws -> (code: Int32, states: [String: String]) {
                let answer = try RunningProcess.answer(of: Programs.agent, ["doctor", "--json"] + arguments, environment: [:])
                let json = try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any], "\(answer)")
                let findings = try #require(json["findings"] as? [[String: Any]])
                let states = findings.map { ($0["subject"] as? String ?? "", $0["state"] as? String ?? "") }
                for one in findings where one["state"] as? String != "ok" { #expect(one["remedy"] is String, "\(one)") }
                return (answer.code, Dictionary(states) { first, _ in first })
            }
            try await stage.wait("all is well") { try doctor().code == 0 }
            let well = try doctor().states
            for subject in ["configuration", "agent", "version", "clock", "permissions", "broker", "tls", "buffer", "disk"] {
                #expect(well[subject] == "ok", "\(subject): \(well)")
            }
            stage.agent?.signal(SIGSTOP)
            let silent = try RunningProcess.run(Programs.agent, ["status"] + arguments)
            #expect(silent.code == 69 && silent.output.contains("stands still"), "\(silent)")
            #expect(try doctor().states["agent"] == "problem")
            stage.agent?.signal(SIGCONT)
            stage.broker?.kill()
            try await stage.wait("the agent has noticed") { try doctor().states["agent"] == "problem" }
            let ill = try doctor()
            #expect(ill.code == 69 && ill.states["broker"] == "problem" && ill.states["buffer"] == "ok", "\(ill)")
            let status = try RunningProcess.answer(of: Programs.agent, ["status"] + arguments, environment: [:])
            #expect(status.output.contains("delivers to nobody at present. What is wrong, farwatch-agent doctor says"), "\(status)")
        }

        @Test(arguments: PostgresTier.available)
        func `the database's health is told, from an empty one to one with samples`(tier: PostgresTier) async throws {
            let server = try SharedPostgres.server(tier)
            let database = try server.makeDatabase()
            let stage = try Stage()
            try stage.startBroker()
            stage.settings = settings(stage, server, database).merging(["FARWATCH_TIMESERIES_POSTGRES_CONTINUOUS_AGGREGATES": "true"]) { $1 }
            let empty = try doctor(stage.settings)
            #expect(empty.code == 0)
            #expect(empty.findings.first { $0.subject == "postgres schema" }?.state == "advice")
            let unknown = "its tier shows when the extension is in the database"
            #expect(empty.findings.contains { $0.subject == "postgres" && $0.detail.contains(unknown) } == (tier != .plain), "\(empty)")
            #expect(empty.findings.first { $0.subject == "postgres extension" }?.state == (tier == .plain ? nil : "advice"))
            #expect(try PostgresConnection(database).query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").value(Int.self) == 0)
            try stage.startCollector()
            try await stage.waitForCollector()
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments(["--devices", "3", "--interval", "0.05", "--seal-age", "0.5", "--for", "2s", "--drain", "60"]),
                logPath: stage.directory + "/fleet.log")
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)")
            let (code, findings) = try doctor(stage.settings)
            // Whether the server's own workers do their jobs is not up to the collector.
            #expect(code == 0 && findings.allSatisfy { $0.state == "ok" || $0.subject == "postgres aggregates" }, "\(findings)")
            #expect(detail("postgres aggregates").contains("6, ") == (tier == .community), "\(findings)")
            #expect(detail("postgres roll-ups").contains("kept by the collector") == (tier != .community), "\(findings)")
            if tier == .community {
                let off = settings(stage, server, database).merging(["FARWATCH_TIMESERIES_POSTGRES_CONTINUOUS_AGGREGATES": "false"]) { $1 }
                let unwanted = try doctor(off).findings.first { $0.subject == "postgres aggregates" }
                #expect(unwanted?.detail.contains("none is wanted") == true || unwanted?.state == "advice", "\(findings)")
            }
            func detail(_ subject: String) -> String { findings.first { $0.subject == subject }?.detail ?? "" }
            #expect(detail("postgres").contains("tier " + tier.rawValue))
            #expect(detail("postgres metric_samples").contains(tier == .plain ? "partitions" : "chunks"))
            #expect(detail("postgres metric_samples").contains("the newest from 20"))
            for subject in ["configuration", "data directory", "broker", "documents"] { #expect(!detail(subject).isEmpty, "\(subject)") }
            for subject in ["schema", "indexes", "slow statements"] { #expect(!detail("postgres " + subject).isEmpty, "\(subject)") }
            #expect(detail("postgres replication") == "no standby" && detail("postgres room").contains("the database has"))
            #expect(stage.collector?.terminate() == 0)
        }

        @Test(arguments: PostgresTier.available.filter { $0 != .plain })
        func `a role that may not add TimescaleDB is told which statement to have run`(tier: PostgresTier) throws {
            let stage = try Stage()
            let server = try SharedPostgres.server(tier)
            let database = try server.makeDatabase()
            let name = database.keywords["dbname"] ?? ""
            try server.connect().execute("CREATE ROLE \(name)_guest LOGIN")
            let guest = ["FARWATCH_TIMESERIES_POSTGRES_URI": "postgres://\(name)_guest@127.0.0.1:\(server.port)/\(name)"]
            let (code, findings) = try doctor(stage.collectorEnvironment.merging(guest) { $1 })
            let finding = try #require(findings.first { $0.subject == "postgres extension" }, "\(findings)")
            #expect(code == 69 && finding.state == "problem" && finding.remedy?.contains("CREATE EXTENSION timescaledb") == true, "\(finding)")
            let migrated = try RunningProcess.run(Programs.collector, ["migrate"], environment: guest)
            #expect(migrated.code == 69 && migrated.output.contains("GRANT CREATE ON SCHEMA public TO \(name)_guest"), "\(migrated)")
            #expect(migrated.output.contains("CREATE EXTENSION timescaledb") && !migrated.output.contains("CREATE TABLE"), "\(migrated)")
            try PostgresConnection(database).execute("CREATE EXTENSION timescaledb; GRANT CREATE ON SCHEMA public TO \(name)_guest")
            #expect(try RunningProcess.run(Programs.collector, ["migrate"], environment: guest).code == 0)
        }

        @Test func `a file with a password that others may read is told`() throws {
            let stage = try Stage()
            let file = stage.directory + "/password"
            try Data("geheim\n".utf8).write(to: URL(filePath: file))
            let settings = stage.collectorEnvironment.merging(["FARWATCH_BROKER_PASSWORD_FILE": file]) { $1 }
            func isTold() throws -> Bool {
                try doctor(settings).findings.contains { $0.subject == "permissions" && $0.state == "advice" && $0.remedy == "chmod 0640 " + file }
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
            #expect(try !isTold())
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            #expect(try isTold())
        }

        @Test func `who is not there is told with what to do, and no password`() throws {
            let stage = try Stage()
            let uri = "postgres://user:geheim@127.0.0.1:\(LoopbackPort.free())/farwatch"
            let (code, findings) = try doctor(stage.collectorEnvironment.merging(["FARWATCH_TIMESERIES_POSTGRES_URI": uri]) { $1 })
            #expect(code == 69)
            for subject in ["broker", "postgres"] {
                let finding = try #require(findings.first { $0.subject == subject })
                #expect(finding.state == "problem" && finding.remedy?.contains("start") == true, "\(finding)")
            }
            #expect(!findings.contains { $0.detail.contains("geheim") })
        }

        @Test func `a standby, and a database that is read-only, are told apart from one that can be written`() throws {
            let stage = try Stage()
            let server = try SharedPostgres.server(.plain)
            let database = try server.makeDatabase()
            try server.connect().execute("ALTER DATABASE \(database.keywords["dbname"] ?? "") SET default_transaction_read_only = on")
            let (code, findings) = try doctor(settings(stage, server, database))
            #expect(code == 69)
            #expect(findings.contains { $0.subject == "postgres writing" && $0.state == "problem" && $0.detail.contains("read-only") })
        }

        @Test func `tables that somebody has changed, that are another program's, or that a role may not make, are told with what to do`() throws {
            let stage = try Stage()
            let server = try SharedPostgres.server(.plain)
            func told(_ subject: String, _ database: PostgresOptions, _ more: [String: String] = [:]) throws -> Finding? {
                let (code, findings) = try doctor(settings(stage, server, database).merging(more) { $1 })
                #expect(code == 69)
                return findings.first { $0.subject == subject && $0.state == "problem" }
            }
            let changed = try server.makeDatabase()
            let name = changed.keywords["dbname"] ?? ""
            let uri = ["FARWATCH_TIMESERIES_POSTGRES_URI": "postgres://postgres@127.0.0.1:\(server.port)/\(name)"]
            #expect(try RunningProcess.run(Programs.collector, ["migrate"], environment: uri).code == 0)
            let admin = try PostgresConnection(changed)
            try admin.execute("CREATE ROLE \(name)_guest LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(name)_guest")
            let guest = ["FARWATCH_TIMESERIES_POSTGRES_URI": "postgres://\(name)_guest@127.0.0.1:\(server.port)/\(name)"]
            #expect(try told("postgres rights", changed, guest)?.detail.contains("does not own") == true)
            try admin.execute("ALTER TABLE devices RENAME latest TO newest")
            #expect(try told("postgres schema", changed)?.detail.contains("devices.latest is missing") == true)
            let foreign = try server.makeDatabase()
            try PostgresConnection(foreign).execute("CREATE TABLE dashboards (title text)")
            #expect(try told("postgres schema", foreign)?.detail.contains("another program have names of ours: dashboards") == true)
        }

        @Test func `embedded files that are damaged or of a newer version are told`() throws {
            let stage = try Stage()
            let directory = stage.directory + "/collector"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try Data("not a database, but long enough to hold a header of one hundred bytes, which is what is looked at here now".utf8)
                .write(to: URL(filePath: directory + "/documents.sqlite"))
            var header = Data("SQLite format 3\0".utf8) + Data(count: 84)
            header[63] = 200
            try header.write(to: URL(filePath: directory + "/timeseries.sqlite"))
            let (code, findings) = try doctor(stage.collectorEnvironment)
            #expect(code == 69)
            #expect(findings.first { $0.subject == "documents" }?.detail.contains("no SQLite database") == true)
            #expect(findings.first { $0.subject == "samples" }?.remedy == "use the newer collector")
        }

        @Test func `a wrong configuration is told by its key, and nothing else is looked at`() throws {
            let (code, findings) = try doctor(["FARWATCH_BROKER_PORT": "many"])
            #expect(code == 78 && findings.map { $0.state } == ["wrong"])
            #expect(findings.first?.detail.contains("broker.port") == true)
            let text = try RunningProcess.run(Programs.collector, ["doctor"], environment: ["FARWATCH_BROKER_PORT": "many"])
            #expect(text.code == 78 && text.output.hasPrefix("wrong"))
        }
    }
}
