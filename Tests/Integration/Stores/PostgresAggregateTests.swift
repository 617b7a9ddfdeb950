import Foundation
import PostgresDriver
import PostgresFixtures
import Testing

/// An answer of `/v1/devices/{id}/series`.
private struct Answer: Decodable, Equatable {
    struct OneSeries: Decodable, Equatable {
        let series: String
        let points: [Point]
    }

    let step: Int
    let series: [OneSeries]
}

/// A mean's last bits are up to the order in which the server adds.
private struct Point: Decodable, Equatable {
    let time, mean, min, max: Double

    init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        (time, mean) = (try values.decode(Double.self), try values.decode(Double.self))
        (min, max) = (try values.decode(Double.self), try values.decode(Double.self))
    }

    static func == (one: Point, other: Point) -> Bool {
        one.time == other.time && one.min == other.min && one.max == other.max
            && abs(one.mean - other.mean) <= 1e-12 * Swift.max(abs(one.min), abs(one.max))
    }
}

extension Integration {
    /// The collector where TimescaleDB keeps continuous aggregates beside its roll-ups, and where it is to do so no more.
    @Suite(.enabled(if: PostgresTier.community.missing == nil, Comment(rawValue: PostgresTier.community.missing ?? "")))
    struct PostgresAggregateTests {
        private static let setting = "FARWATCH_TIMESERIES_POSTGRES_CONTINUOUS_AGGREGATES"
        private static let hour = 3_600

        /// The answer to each question, of a collector that has kept none yet.
        private func answers(_ stage: Stage, to now: Int) async throws -> [String: Answer] {
            try stage.startCollector()
            try await stage.wait("the collector is ready", seconds: 300) { try await stage.get("/readyz").status == 200 }
            var answers: [String: Answer] = [:]
            for step in [1, 60, 300, Self.hour, 24 * Self.hour] {
                // 11,000 steps at most.
                let range = step < 300 ? 2 * Self.hour : 30 * 24 * Self.hour
                let path = "/v1/devices/sim-0001/series?from=\(now - range)&to=\(now)&step=\(step)"
                let answer = try await stage.get(path)
                #expect(answer.status == 200, "\(path): \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
                answers[path] = try JSONDecoder().decode(Answer.self, from: answer.body)
            }
            return answers
        }

        @Test func `answers are the same before they are made, with them, refreshed or not, and after they were turned off`() async throws {
            let server = try SharedPostgres.server(.community)
            let database = try server.makeDatabase()
            let connection = try PostgresConnection(database)
            let stage = try Stage()
            stage.settings["FARWATCH_TIMESERIES_POSTGRES_URI"] =
                "postgres://postgres@127.0.0.1:\(server.port)/\(database.keywords["dbname"] ?? "")"
            try stage.startBroker()
            try stage.startCollector()
            try await stage.wait("the collector is ready", seconds: 300) { try await stage.get("/readyz").status == 200 }
            let fleet = try RunningProcess(
                Programs.fleetSimulator,
                stage.fleetArguments(["--devices", "2", "--interval", "0.05", "--seal-age", "0.5", "--for", "2s", "--drain", "300"]),
                logPath: stage.directory + "/fleet.log")
            #expect(fleet.waitForExit() == 0, "\(fleet.log)\n\(stage.logs)")
            #expect(stage.collector?.terminate() == 0)
            let now = Int(Date().timeIntervalSince1970) + Self.hour
            let before = try await answers(stage, to: now)
            #expect(before.values.allSatisfy { $0.series.count > 10 && $0.series.allSatisfy { !$0.points.isEmpty } })
            #expect(try await stage.metric("farwatch_postgres_aggregate_bytes") == 0)
            #expect(stage.collector?.terminate() == 0)

            stage.settings[Self.setting] = "true"
            let made = try RunningProcess.run(Programs.collector, ["migrate"], environment: stage.collectorEnvironment)
            #expect(made.code == 0 && made.output.contains("made the continuous aggregate device_metrics_1m"), "\(made)")
            for isRefreshed in [false, true] {
                for name in ["device_metrics", "metric_samples"] where isRefreshed {
                    for suffix in ["1m", "1h", "1d"] { try connection.execute("CALL refresh_continuous_aggregate('\(name)_\(suffix)', NULL, NULL)") }
                }
                #expect(try await answers(stage, to: now) == before)
                try await stage.wait("/metrics tells them", seconds: 300) {
                    try await stage.metric("farwatch_postgres_aggregate_bytes") > 0
                }
                #expect(stage.collector?.terminate() == 0)
            }
            stage.settings[Self.setting] = "false"
            #expect(try await answers(stage, to: now) == before)
            #expect(stage.collector?.terminate() == 0)
        }
    }
}
