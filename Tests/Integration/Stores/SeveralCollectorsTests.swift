import Foundation
import SQLiteDriver
import ServerFixtures
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension Integration {
    /// Two collectors on one data directory and one shared subscription, and the operator's command line.
    @Suite struct SeveralCollectorsTests {
        @Test func `a fleet's samples are each stored once by two collectors, one of which is killed and comes back`() async throws {
            let stage = try Stage()
            try stage.startBroker()
            try stage.startCollector()
            try await stage.waitForCollector()
            let otherPort = LoopbackPort.free()
            var environment = stage.collectorEnvironment
            environment["FARWATCH_HTTP_PORT"] = "\(otherPort)"
            func startOther() throws -> RunningProcess {
                try RunningProcess(Programs.collector, ["serve"], environment: environment, logPath: stage.directory + "/other.log")
            }
            var other = try startOther()
            defer { other.kill() }
            let address = "http://127.0.0.1:\(otherPort)"
            try await stage.wait("the other collector is ready") {
                let url = try #require(URL(string: address + "/readyz"))
                return (try await URLSession.shared.data(from: url).1 as? HTTPURLResponse)?.statusCode == 200
            }
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments([
                    "--devices", "20", "--interval", "0.05", "--seal-age", "0.5", "--for", "8s", "--backlog", "500", "--drain", "120",
                ]), logPath: stage.directory + "/fleet.log")
            try await Task.sleep(for: .seconds(3))
            other.kill()
            other = try startOther()
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)\n\(other.log)")
            let line = try #require(fleet.log.split(separator: "\n").last { $0.hasPrefix("{") })
            let result = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let database = try Database(path: stage.directory + "/collector/timeseries.sqlite", access: .readOnly)
            #expect(try database.integer("SELECT sum(samples) FROM blocks") == Int64(try #require(result["samples_produced"] as? Int)))
            #expect(try database.integer("SELECT count(*) FROM quarantine") == 0)
            // Both took a part.
            #expect(try await stage.metric("farwatch_ingest_samples_total") > 0)
            try await stage.wait("the other collector listens again") { other.log.components(separatedBy: "listening").count > 2 }
            try await stage.wait("both say the same of when each device was last seen") {
                try await Self.lastSeen(at: address) == Self.lastSeen(at: "http://127.0.0.1:\(stage.httpPort)")
            }
            try askOperator(address)
            #expect(other.terminate() == 0)
        }

        private static func lastSeen(at address: String) async throws -> [String] {
            let (body, _) = try await URLSession.shared.data(from: try #require(URL(string: address + "/v1/devices")))
            let answer = try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
            let seen = try #require(answer["devices"] as? [[String: Any]]).compactMap { $0["last_seen"] as? String }
            #expect(seen.count == 20)
            return seen
        }

        private func askOperator(_ address: String) throws {
            func farwatch(_ arguments: [String]) throws -> (code: Int32, output: String) {
                try RunningProcess.run(Programs.operatorCommand, arguments, environment: ["FARWATCH_COLLECTOR": address])
            }
            let list = try farwatch(["devices", "list"])
            #expect(list.code == 0 && list.output.split(separator: "\n").count == 21)
            let fleet = try farwatch(["devices", "completeness"])
            #expect([0, 1].contains(fleet.code) && fleet.output.contains("sim-"), "\(fleet.output)")
            let device = String(try #require(list.output.split(separator: "\n").last?.split(separator: " ").first))
            let json = try farwatch(["devices", "completeness", device, "--json"])
            let answer = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            let seconds = try #require(answer["seconds"] as? [String: Double])
            #expect(abs(try #require(seconds["expected"]) * 2 - seconds.values.reduce(0, +)) < 0.001)
            #expect(json.code == (answer["complete"] as? Bool == true ? 0 : 1))
            #expect(try farwatch(["quarantine", "list"]).output == "There is nothing in quarantine.\n")
            #expect(try farwatch(["quarantine", "show", "7"]).code == 66)
            #expect(try farwatch(["devices", "completeness", "nobody"]).code == 66)
            let missing = try farwatch(["quarantine", "replay", "7", "8", "7"])
            #expect(missing.code == 66 && missing.output.split(separator: "\n").count == 2, "\(missing.output)")
            let wrong = try farwatch(["devices", "completeness", device, "--from", "-1"])
            #expect(wrong.code == 64 && wrong.output.contains("from is none of"), "\(wrong.output)")
            let full = try RunningProcess.run("/bin/sh", ["-c", "exec \(Programs.operatorCommand) devices list --collector \(address) > /dev/full"])
            #expect(full.code == 74, "\(full.output)")
        }
    }
}
