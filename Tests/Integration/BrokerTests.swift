import Foundation
import ServerFixtures
import Testing

extension Integration {
    /// What the agent makes of brokers that cannot be had, or can in another way.
    @Suite struct BrokerTests {
        private func doctor(_ stage: Stage, _ settings: String) throws -> String {
            let file = stage.directory + "/doctor.yaml"
            try (settings + "\nbuffer: {path: \(stage.directory)/none.sqlite}\n").write(toFile: file, atomically: true, encoding: .utf8)
            return try RunningProcess.run(Programs.agent, ["doctor", "--config", file]).output
        }

        @Test(arguments: [false, true]) func `a broker that is not there is told as that, at once`(usesTLS: Bool) throws {
            let output = try doctor(try Stage(), "broker: {host: 127.0.0.1, port: \(LoopbackPort.free()), tls: \(usesTLS)}")
            // Told by libmosquitto, or seen beside it, which keeps the kernel's word to itself.
            #expect(output.contains(usesTLS ? "(the connection was refused or closed)" : "(Connection refused)"), "\(output)")
        }

        @Test func `who speaks no TLS is told as that`() throws {
            let stage = try Stage()
            try stage.startBroker()
            let output = try doctor(stage, "broker: {host: 127.0.0.1, port: \(stage.brokerPort), tls: true}")
            #expect(output.contains("cannot be had") && !output.contains("no answer"), "\(output)")
        }

        private static let canMount = (try? RunningProcess.run("/usr/bin/unshare", ["--mount", "true"]).code) == 0

        @Test(.enabled(if: canMount, "a name's addresses cannot be made up here: unshare --mount is refused"))
        func `a name is tried at its address of IPv4, too, when nobody is at that of IPv6`() throws {
            let stage = try Stage()
            try stage.startBroker()
            let hosts = stage.directory + "/hosts"
            try "::1 broker.example\n127.0.0.1 broker.example\n::1 six.example\n".write(toFile: hosts, atomically: true, encoding: .utf8)
            func doctor(_ name: String) throws -> String {
                let file = stage.directory + "/doctor.yaml"
                let settings = "broker: {host: \(name), port: \(stage.brokerPort)}\nbuffer: {path: \(stage.directory)/none.sqlite}\n"
                try settings.write(toFile: file, atomically: true, encoding: .utf8)
                let script = "mount --bind \(hosts) /etc/hosts && exec \(Programs.agent) doctor --config \(file)"
                return try RunningProcess.run("/usr/bin/unshare", ["--mount", "sh", "-c", script]).output
            }
            let both = try doctor("broker.example")
            #expect(both.contains("takes the connection"), "\(both)")
            // Where there is no other address the reason is that of the one there is.
            let six = try doctor("six.example")
            #expect(six.contains("(Connection refused)"), "\(six)")
        }

        @Test func `a host with its port is refused by its key`() throws {
            let output = try doctor(try Stage(), "broker: {host: \"broker.example:8883\"}")
            #expect(output.contains("broker.host") && output.contains("the port is broker.port"), "\(output)")
        }
    }
}
