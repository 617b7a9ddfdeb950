import CertificateFixtures
import Foundation
import Testing

extension Integration {
    /// The running agent, alone: what it says of certificates when it is asked for its status. The interval is an hour, so that whatever is
    /// noticed was not found on schedule.
    @Suite struct CertificateWatchTests {
        private func status(_ stage: Stage) throws -> [String: Any] {
            let answer = try RunningProcess.run(Programs.agent, ["status", "--json", "--config", stage.directory + "/agent.yaml"])
            guard answer.code == 0 else { return [:] }
            return try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any] ?? [:]
        }

        @Test func `a certificate that is put down or taken away is noticed without waiting for the schedule`() async throws {
            let workshop = try CertificateWorkshop()
            try workshop.issue("one")
            try workshop.issue("two")
            try workshop.write("tree/one.pem", workshop.bytes("one.pem"))
            let stage = try Stage()
            try stage.startAgent("certificates: {paths: [\(workshop.path("tree"))], interval: 1h}")
            try await stage.wait("the first scan") { try status(stage)["certificates"] as? Int == 1 }
            try workshop.write("tree/two.pem", workshop.bytes("two.pem"))
            try await stage.wait("the new file") { try status(stage)["certificates"] as? Int == 2 }
            try FileManager.default.removeItem(atPath: workshop.path("tree/one.pem"))
            try await stage.wait("the removal") { try status(stage)["certificates"] as? Int == 1 }
            #expect(stage.agent?.terminate() == 0)
        }

        @Test func `endpoints are looked at by a process of their own, and a server that says nothing holds nobody up`() async throws {
            let workshop = try CertificateWorkshop()
            try workshop.issue("one", alternativeNames: "IP:127.0.0.1")
            let server = try EndpointServer(workshop, chain: "one.pem", key: "one.key", "tls")
            let silent = try EndpointServer(workshop, chain: "one.pem", key: "one.key", "silent")
            let stage = try Stage()
            try stage.startAgent(
                "certificates: {endpoints: ['127.0.0.1:\(server.port)', '127.0.0.1:\(silent.port)'], interval: 1h}")
            // Meanwhile the agent samples as ever.
            try await stage.wait("ticks") { (try status(stage)["ticks"] as? Int ?? 0) > 3 }
            try await stage.wait("the endpoints") { try status(stage)["certificates"] as? Int == 1 }
            let said = try status(stage)
            #expect(said["certificate_problems"] as? Int == 1)
            #expect((said["certificate_problem_1"] as? String)?.hasPrefix("127.0.0.1:\(silent.port): unreachable") == true)
            #expect(stage.agent?.terminate() == 0)
        }
    }
}
