import Foundation
import PostgresDriver
import PostgresFixtures
import Testing

extension Integration {
    /// The collector with samples on a server whose tables somebody has added rules to.
    @Suite struct PostgresConstraintTests {
        private static let refused = "h-0003"

        @Test(arguments: [
            "ALTER TABLE device_metrics ADD CONSTRAINT not_this_one CHECK (device_id <> 'h-0003')",
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF new.device_id = 'h-0003' THEN RAISE EXCEPTION 'not_this_one'; END IF; RETURN new; END $$;
            CREATE TRIGGER refusal BEFORE INSERT ON device_metrics FOR EACH ROW EXECUTE FUNCTION refuse()
            """,
        ])
        func `rows that somebody's rule refuses are quarantined with its words, the rest goes in, and they do when the rule is gone`(
            rule: String
        ) async throws {
            let server = try PostgresServer(.plain)
            let stage = try Stage()
            stage.settings["FARWATCH_TIMESERIES_POSTGRES_URI"] = "postgres://postgres@127.0.0.1:\(server.port)/postgres"
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            let connection = try server.connect()
            try connection.execute(rule)
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments([
                    "--devices", "5", "--series", "10", "--interval", "0.2", "--seal-ticks", "3", "--for", "3s", "--drain", "300", "--prefix", "h",
                ]), logPath: stage.directory + "/fleet.log")
            // What was refused is acknowledged, but not delivered.
            #expect(fleet.waitForExit() == 1, "\(fleet.log)\n\(stage.logs)")
            let line = try #require(fleet.log.split(separator: "\n").last { $0.hasPrefix("{") })
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let produced = try #require(result["samples_produced"] as? Int)
            #expect(result["samples_acknowledged"] as? Int == produced)
            func stored() throws -> Int? { try connection.query("SELECT sum(samples)::int8 FROM devices").value(Int.self) }
            let items = try #require(try await stage.json("/v1/quarantine?limit=100")["items"] as? [[String: Any]])
            #expect(!items.isEmpty && items.count == result["batches_refused"] as? Int)
            #expect(items.allSatisfy { $0["device"] as? String == Self.refused })
            #expect(items.allSatisfy { ($0["reason"] as? String)?.contains("not_this_one") == true }, "\(items)")
            #expect(try stored() ?? 0 > 0 && stored() ?? 0 < produced)
            #expect(try connection.query("SELECT count(*) FROM device_metrics WHERE device_id = 'h-0003'").value(Int.self) == 0)
            #expect(try connection.query("SELECT count(DISTINCT device_id) FROM device_metrics").value(Int.self) == 4)
            try connection.execute("ALTER TABLE device_metrics DROP CONSTRAINT IF EXISTS not_this_one")
            try connection.execute("DROP TRIGGER IF EXISTS refusal ON device_metrics")
            let replay = try RunningProcess.run(
                Programs.operatorCommand, ["quarantine", "replay", "--all", "--collector", "http://127.0.0.1:\(stage.httpPort)"])
            #expect(replay.code == 0, "\(replay.output)")
            #expect(try stored() == produced)
        }
    }
}
