import Foundation
import PostgresDriver
import PostgresFixtures
import ServerFixtures
import Testing

extension Integration {
    /// The collector with its samples on a real PostgreSQL server.
    @Suite struct PostgresStoreTests {
        private func uri(_ server: PostgresServer) -> String { "postgres://postgres@127.0.0.1:\(server.port)/postgres" }

        @Test(arguments: PostgresTier.available)
        func `a fleet's samples are each stored once by two collectors, though the server crashes under them`(tier: PostgresTier) async throws {
            let server = try PostgresServer(tier)
            let stage = try Stage()
            stage.settings["FARWATCH_TIMESERIES_POSTGRES_URI"] = uri(server)
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            let ready = try await stage.json("/readyz")
            #expect((ready["details"] as? [String: String])?["stores"]?.contains(tier.rawValue) == true)
            var environment = stage.collectorEnvironment
            environment["FARWATCH_HTTP_PORT"] = "\(LoopbackPort.free())"
            let other = try RunningProcess(Programs.collector, ["serve"], environment: environment, logPath: stage.directory + "/other.log")
            defer { other.kill() }
            try await stage.wait("the other collector listens") { other.log.contains("listening") }
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments([
                    "--devices", "20", "--interval", "0.05", "--seal-age", "0.5", "--for", "10s", "--backlog", "500", "--drain", "120",
                ]), logPath: stage.directory + "/fleet.log")
            try await Task.sleep(for: .seconds(2))
            server.kill()
            try await stage.wait("the collector says that its store is down") {
                let answer = try await stage.get("/readyz")
                return answer.status == 503 && String(decoding: answer.body, as: UTF8.self).contains("PostgreSQL cannot")
            }
            try await Task.sleep(for: .seconds(1))
            try server.start()
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)\n\(other.log)")
            let line = try #require(fleet.log.split(separator: "\n").last { $0.hasPrefix("{") })
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let produced = try #require(result["samples_produced"] as? Int)
            let connection = try server.connect()
            func count(_ sql: String) throws -> Int? { try connection.query(sql).value(Int.self) }
            #expect(try count("SELECT sum(samples)::int8 FROM devices") == produced)
            #expect(try count("SELECT sum(count)::int8 FROM rollups_1h") == produced)
            #expect(
                try count("SELECT (SELECT count(cpu_usage) + count(memory_usage) FROM device_metrics) + (SELECT count(*) FROM metric_samples)")
                    == produced)
            #expect(try count("SELECT count(*) FROM quarantine") == 0)
            try await stage.waitForCollector()
            #expect(try await stage.metric("farwatch_postgres_available") == 1)
            #expect(try await stage.metric("farwatch_postgres_table_bytes") > 0)
            #expect(other.terminate() == 0)
            #expect(stage.collector?.terminate() == 0)
            // Samples were kept nowhere else.
            #expect(!FileManager.default.fileExists(atPath: stage.directory + "/collector/timeseries.sqlite"))
        }

        @Test(arguments: PostgresTier.available)
        func `a migration is planned, done, and then nothing is missing`(tier: PostgresTier) throws {
            let options = try SharedPostgres.server(tier).makeDatabase()
            let uri = "host=127.0.0.1 port=\(try SharedPostgres.server(tier).port) user=postgres dbname=\(options.keywords["dbname"] ?? "")"
            var wanted = false
            func migrate(_ arguments: [String]) throws -> (code: Int32, output: String) {
                let environment = ["FARWATCH_TIMESERIES_POSTGRES_URI": uri, "FARWATCH_TIMESERIES_POSTGRES_CONTINUOUS_AGGREGATES": "\(wanted)"]
                return try RunningProcess.run(Programs.collector, ["migrate"] + arguments, environment: environment)
            }
            let planned = try migrate(["--plan"])
            #expect(planned.output.contains("missing 1:"))
            #expect(planned.output.contains(tier == .plain ? "tier plain" : "its tier shows when the extension is in the database"), "\(planned)")
            let done = try migrate([])
            #expect(done.code == 0 && done.output.contains("applied 1:") && done.output.contains(tier.rawValue))
            #expect(!done.output.contains("continuous aggregate"), "\(done)")
            #expect(try migrate(["--plan"]).output.contains("nothing is missing"))
            wanted = true
            #expect(try migrate([]).output.contains("made the continuous aggregate metric_samples_1d") == (tier == .community))
            if tier == .community {
                try PostgresConnection(options).execute("DROP MATERIALIZED VIEW device_metrics_1d")
                #expect(try migrate(["--plan"]).output.contains("missing continuous aggregate device_metrics_1d"))
                #expect(try migrate([]).output.contains("made the continuous aggregate device_metrics_1d"))
            }
            // As an older program left it, with rows.
            let connection = try PostgresConnection(options)
            try connection.execute("DELETE FROM farwatch_migrations WHERE version = 6; DROP INDEX device_metrics_time")
            if tier == .plain { try connection.execute("CREATE TABLE device_metrics_p0 PARTITION OF device_metrics DEFAULT") }
            try connection.execute("INSERT INTO device_metrics (device_id, \"timestamp\") VALUES ('a', now())")
            #expect(try migrate(["--plan"]).output.contains("device_metrics_time: 1 of 1 parts lack it"))
            let built = try migrate([])
            #expect(built.code == 0 && built.output.contains("doing 6:") && built.output.contains("device_metrics_time: 1 of 1 parts"))
            #expect(try migrate(["--plan"]).output.contains("nothing is missing"))
            if tier == .community {
                try connection.execute(
                    """
                    DELETE FROM farwatch_migrations WHERE version = 7;
                    ALTER TABLE device_metrics SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id',
                        timescaledb.compress_orderby = '"timestamp" DESC, id DESC');
                    SELECT compress_chunk(chunk) FROM show_chunks('device_metrics') AS chunk
                    """)
                #expect(try migrate(["--plan"]).output.contains("device_metrics_order: 1 of 1 parts lack it"))
                let stage = try Stage()
                stage.settings["FARWATCH_TIMESERIES_POSTGRES_URI"] = uri
                let doctor = try RunningProcess.run(Programs.collector, ["doctor"], environment: stage.collectorEnvironment)
                #expect(doctor.output.contains("what goes part by part is not done: 7, "), "\(doctor)")
                let ordered = try migrate([])
                #expect(ordered.code == 0 && ordered.output.contains("doing 7:") && ordered.output.contains("device_metrics_order: 1 of 1 parts"))
                #expect(try migrate(["--plan"]).output.contains("nothing is missing"))
            }
            #expect(try RunningProcess.run(Programs.collector, ["migrate"]).code == 78)
        }

        @Test func `a migration that another collector is at is waited for, which is said`() async throws {
            let server = try SharedPostgres.server(.plain)
            let options = try server.makeDatabase()
            let uri = "postgres://postgres@127.0.0.1:\(server.port)/\(options.keywords["dbname"] ?? "")"
            let other = try PostgresConnection(options)
            // The lock of migrations, "FARW".
            let lock: [PostgresValue] = [.integer(0x4641_5257)]
            try other.run("SELECT pg_advisory_lock($1)", lock)
            let stage = try Stage()
            let migration = try RunningProcess(
                Programs.collector, ["migrate"], environment: ["FARWATCH_TIMESERIES_POSTGRES_URI": uri], logPath: stage.directory + "/migrate.log")
            try await stage.wait("it says that it waits") { migration.log.contains("another collector is migrating; waiting for it") }
            #expect(migration.isRunning && !migration.log.contains("applied"))
            try other.run("SELECT pg_advisory_unlock($1)", lock)
            #expect(migration.waitForExit() == 0 && migration.log.contains("applied 1:"), "\(migration.log)")
        }

        @Test func `a collector whose server stands still ends when it is asked to`() async throws {
            let server = try PostgresServer(.plain)
            let stage = try Stage()
            stage.settings["FARWATCH_TIMESERIES_POSTGRES_URI"] = uri(server)
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            let collector = try #require(stage.collector)
            #expect(collector.log.contains("the database takes samples"))
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments(["--devices", "3", "--interval", "0.05", "--seal-age", "0.2", "--for", "600s"]),
                logPath: stage.directory + "/fleet.log")
            defer { fleet.kill() }
            try await stage.wait("samples come") { try await stage.metric("farwatch_ingest_samples_total") > 0 }
            server.stop()
            try await stage.wait("the collector says that nobody answers") {
                let answer = try await stage.get("/readyz")
                return answer.status == 503 && String(decoding: answer.body, as: UTF8.self).contains("has not answered for")
            }
            // The statement tells nobody anything who reads this.
            #expect(try await !String(decoding: stage.get("/readyz").body, as: UTF8.self).contains("SELECT") && !collector.log.contains("SELECT"))
            collector.signal(SIGTERM)
            try await stage.wait("the collector ends", seconds: 300) { !collector.isRunning }
            #expect(collector.waitForExit() == 0)
            server.goOn()
        }

        @Test func `migrate and check-config tell a server that is not there from a mistake`() throws {
            let server = try SharedPostgres.server(.plain)
            func run(_ command: String, _ uri: String, _ more: [String: String] = [:]) throws -> Int32 {
                let environment = ["FARWATCH_TIMESERIES_POSTGRES_URI": uri].merging(more) { $1 }
                return try RunningProcess.run(Programs.collector, [command], environment: environment).code
            }
            #expect(try run("migrate", "postgres://postgres@127.0.0.1:\(LoopbackPort.free())/postgres") == 69)
            #expect(try run("migrate", "postgres://nobody@127.0.0.1:\(server.port)/postgres") == 69)
            #expect(try run("migrate", "postgres://postgres@127.0.0.1:\(server.port)/nowhere") == 78)
            #expect(try run("check-config", "postgres://postgres@127.0.0.1:99999/postgres") == 78)
            let stage = try Stage()
            try "\n".write(toFile: stage.directory + "/password", atomically: true, encoding: .utf8)
            let password = ["FARWATCH_TIMESERIES_POSTGRES_PASSWORD_FILE": stage.directory + "/password"]
            #expect(try run("check-config", "postgres://postgres@127.0.0.1:5432/postgres", password) == 78)
            #expect(try run("check-config", "postgres://postgres@127.0.0.1:5432/postgres") == 0)
        }

        @Test func `a server that cannot be meant is a mistake in the configuration, and no password is told`() throws {
            let stage = try Stage()
            let file = stage.directory + "/collector.yaml"
            let text = """
                timeseries:
                  postgres:
                    uri: "postgres://user:geheim@[host/x"
                    connections_min: 30
                    samples_kept: 3h
                """
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let checked = try RunningProcess.run(Programs.collector, ["check-config", "--config", file])
            #expect(checked.code == 78)
            for key in ["uri", "connections_min", "samples_kept"] { #expect(checked.output.contains("timeseries.postgres." + key)) }
            #expect(!checked.output.contains("geheim"))
        }
    }
}
