import CertificateFixtures
import Foundation
import Testing

extension Integration {
    /// `farwatch-agent certs`: what is a problem, what is none, and what was asked wrongly.
    @Suite struct CertsCommandTests {
        private let workshop: CertificateWorkshop

        init() throws {
            workshop = try CertificateWorkshop()
            try workshop.issue("one")
        }

        private func certs(_ arguments: String...) throws -> (code: Int32, output: String) {
            try RunningProcess.run(Programs.agent, ["certs"] + arguments)
        }

        /// Root without the right to read what is closed is like anybody else.
        private func certsOfAnybody(_ path: String) throws -> (code: Int32, output: String) {
            guard geteuid() == 0 else { return try certs(path, "--trust", workshop.path("one.pem")) }
            return try RunningProcess.run(
                "/usr/bin/setpriv",
                ["--bounding-set=-dac_override,-dac_read_search", Programs.agent, "certs", path, "--trust", workshop.path("one.pem")])
        }

        private func close(_ name: String) throws {
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: workshop.path(name))
        }

        @Test(.enabled(if: geteuid() != 0 || FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv"), "root, and setpriv is not installed"))
        func `a private key that is closed to the user is no problem, a certificate is one`() throws {
            try workshop.write("tree/web.pem", workshop.bytes("one.pem"))
            for name in ["tree/web.key", "tree/privkey.pem"] {
                try workshop.write(name, workshop.bytes("one.key"))
                try close(name)
            }
            let keys = try certsOfAnybody(workshop.path("tree"))
            #expect(keys.code == 0 && keys.output.contains("2 private keys") && keys.output.contains("0 paths with problems"), "\(keys.output)")
            try workshop.write("tree/other.pem", workshop.bytes("one.pem"))
            try close("tree/other.pem")
            let closed = try certsOfAnybody(workshop.path("tree"))
            #expect(closed.code == 1 && closed.output.contains("other.pem: unreadable"), "\(closed.output)")
        }

        @Test(arguments: ["127.0.0.1:99999", "http://localhost:80"])
        func `what is written like an endpoint and is none is told so`(text: String) throws {
            let result = try certs(text)
            #expect(result.code == 1 && result.output.contains(text + ": unreachable: an endpoint is HOST:PORT"), "\(result.output)")
        }

        @Test func `help of the command is its own, and certificates that are not quantum safe are one line`() throws {
            for words in [["--help"], ["--json", "-h"]] {
                let help = try RunningProcess.run(Programs.agent, ["certs"] + words)
                #expect(help.code == 0 && help.output.hasPrefix("farwatch-agent certs") && help.output.contains("--password-file"), "\(help.output)")
            }
            try workshop.issue("two")
            let result = try certs(workshop.path("one.pem"), workshop.path("two.pem"))
            #expect(result.output.split(separator: "\n").filter { $0.contains("not_quantum_safe") }.count == 1, "\(result.output)")
            #expect(result.output.contains("note: 2 certificates are not_quantum_safe"))
        }

        @Test func `passwords that are not there are a wrong command line, and paths may begin with a hyphen`() throws {
            #expect(try certs("--password-file", workshop.path("nowhere"), workshop.path("one.pem")).code == 64)
            let hyphen = try certs("--trust", workshop.path("one.pem"), "--", "--at")
            #expect(hyphen.code == 1 && hyphen.output.contains("--at: missing"), "\(hyphen.output)")
        }
    }
}
