import AgentCertificates
import CertificateFixtures
import CertificateInspection
import Foundation
import LinuxDriver
import OpenSSLDriver
import Testing

@Suite struct EndpointTests {
    let now: Int64 = 1_767_225_600_000

    @Test(arguments: [
        ("host:443", "host:443", Endpoint.Prelude.none), ("[::1]:8883", "[::1]:8883", .none), ("mail.example:25", "mail.example:25", .smtp),
        ("imap://a:1143", "a:1143", .imap), ("db:5432", "db:5432", .postgres), ("mqtts://broker:8883", "broker:8883", .none),
        ("tls://mail:25", "mail:25", .none), ("https://host:443/", "host:443", .none), ("https://[::1]:443/", "[::1]:443", .none),
    ])
    func `an endpoint is a host, a port, and how TLS begins`(text: String, name: String, prelude: Endpoint.Prelude) throws {
        let endpoint = try #require(Endpoint(text))
        #expect(endpoint.text == name && endpoint.prelude == prelude)
    }

    @Test(arguments: [
        "host", "host:", ":443", "host:0", "host:65536", "::1:443", "a/b:1", "gopher://a:70", "a b:1", "", "https://host:443/a", "https://host:443//",
        "https://host/", "https:///",
    ])
    func `anything else is none`(text: String) { #expect(Endpoint(text) == nil) }

    @Test(arguments: [
        ("host:65536", true), ("gopher://a:70", true), ("http://a", true), ("host", false), ("host:", true), ("https://host:443/a", true),
        ("https://host/", true), ("/a:80", false), ("./a:80", false),
        ("", false),
    ])
    func `what is meant for an endpoint is told from a path`(text: String, isMeant: Bool) { #expect(Endpoint.isMeant(by: text) == isMeant) }

    func workshop() throws -> CertificateWorkshop {
        let workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("middle", by: "root", isAuthority: true)
        try workshop.issue("leaf", by: "middle", alternativeNames: "DNS:localhost,IP:127.0.0.1")
        try workshop.join(["leaf.pem", "middle.pem"], as: "chain.pem")
        return workshop
    }

    func look(at text: String, _ workshop: CertificateWorkshop) throws -> EndpointRecord {
        let trust = TrustSources(usesSystemStore: false, files: [workshop.path("root.pem")])
        return try EndpointInspection(trust: trust, profile: .device, at: now).look(at: try #require(Endpoint(text)))
    }

    @Test(arguments: ["tls", "smtp", "imap", "postgres"])
    func `what an endpoint serves is measured with its host's name`(prelude: String) throws {
        let workshop = try workshop()
        let server = try EndpointServer(workshop, chain: "chain.pem", key: "leaf.key", prelude)
        let found = try look(at: prelude + "://127.0.0.1:" + server.port, workshop)
        #expect(found.record.subject == "CN=leaf" && found.record.trusted)
        #expect(found.protocolName == "TLSv1.3" && found.cipher.hasPrefix("TLS_") && found.stapled == .none && found.responseTime > 0)
        #expect(found.record.findings(at: now, clockIsTrustworthy: true).allSatisfy { $0.severity == .note })
    }

    @Test func `of a name's addresses the first that takes the connection is looked at`() throws {
        let workshop = try workshop()
        let server = try EndpointServer(workshop, chain: "chain.pem", key: "leaf.key", "tls")
        let port = try #require(UInt16(server.port))
        // Nobody listens on the other address of this machine.
        let addresses = try ["127.0.0.2", "127.0.0.1"].map { try #require(SocketAddress(numeric: $0, port: port)) }
        #expect(throws: SystemError.self) { try StreamSocket.connect(toFirstOf: [addresses[0]]) }
        #expect(throws: SystemError.self) { try StreamSocket.connect(toFirstOf: []) }
        _ = try StreamSocket.connect(toFirstOf: addresses)
        #expect(SocketAddress.all(resolving: "127.0.0.1", port: port, max: 0).isEmpty)
        #expect(SocketAddress.all(resolving: "localhost", port: port, max: 4).count <= 4)
    }

    @Test func `a missing intermediate, another host, and a renewal that the server has not taken up are found`() throws {
        let workshop = try workshop()
        let server = try EndpointServer(workshop, chain: "leaf.pem", key: "leaf.key", "tls")
        #expect(try look(at: "127.0.0.1:" + server.port, workshop).record.trustError == "incomplete chain")
        try workshop.issue("other", by: "root", alternativeNames: "DNS:other.example")
        let stranger = try EndpointServer(workshop, chain: "other.pem", key: "other.key", "tls")
        var served = [try look(at: "127.0.0.1:" + stranger.port, workshop)]
        #expect(served[0].record.assessment.findings.contains { $0.code == .hostNameMismatch })

        try workshop.issue("other", by: "root", alternativeNames: "DNS:other.example", to: "20360101000000Z")
        var scanner = CertificateScanner(
            paths: [workshop.path("other.pem")], trust: TrustSources(usesSystemStore: false), at: now, clockIsTrustworthy: true)
        scanner.run()
        EndpointInspection.compare(&served, with: scanner.records)
        let differs = served[0].record.assessment.findings.contains { $0.code == .servedDiffers && $0.detail.hasSuffix("other.pem") }
        #expect(differs, "\(served[0].record), \(scanner.records), \(scanner.problems)")
    }

    @Test(arguments: [("old", "TLSv1.1", FindingCode.weakProtocol, Severity.problem), ("plain", "TLSv1.2", .weakCipher, .critical)])
    func `a protocol or a cipher that nobody should take is found`(kind: String, version: String, code: FindingCode, severity: Severity) throws {
        let workshop = try workshop()
        let server = try EndpointServer(workshop, chain: "chain.pem", key: "leaf.key", kind)
        let found = try look(at: "tls://127.0.0.1:" + server.port, workshop)
        #expect(found.protocolName == version)
        let findings = found.record.findings(at: now, clockIsTrustworthy: true).filter { $0.severity != .note }
        #expect(findings.map(\.code) == [code] && findings.map(\.severity) == [severity], "\(found.cipher): \(findings)")
    }

    @Test func `another host is told also where the chain is not whole`() throws {
        let workshop = try workshop()
        try workshop.issue("other", by: "middle", alternativeNames: "DNS:other.example")
        let server = try EndpointServer(workshop, chain: "other.pem", key: "other.key", "tls")
        let found = try look(at: "127.0.0.1:" + server.port, workshop)
        #expect(Set([.incompleteChain, .hostNameMismatch]).isSubset(of: found.record.assessment.findings.map(\.code)))
        #expect(found.record.trustError == "incomplete chain")
    }

    @Test func `a server that is not there or speaks no TLS is a problem`() throws {
        let workshop = try workshop()
        let server = try EndpointServer(workshop, chain: "chain.pem", key: "leaf.key", "refuse")
        for text in ["127.0.0.1:1", "smtp://127.0.0.1:" + server.port, "tls://127.0.0.1:" + server.port] {
            let error = try #require(throws: CertificateProblemError.self) { try look(at: text, workshop) }
            #expect(error.problem.reason == .unreachable)
        }
    }

    @Test func `a server that sends a byte now and then, or nothing, is given up after its time`() throws {
        let workshop = try workshop()
        for prelude in ["drip", "silent"] {
            let server = try EndpointServer(workshop, chain: "chain.pem", key: "leaf.key", prelude)
            let error = try #require(throws: CertificateProblemError.self) { try look(at: "tls://127.0.0.1:" + server.port, workshop) }
            #expect(error.problem.reason == .unreachable)
        }
    }

    @Test(arguments: [("good", StapledStatus.good), ("revoked", .revoked), ("forged", .unusable)])
    func `a stapled response counts when its issuer signed it`(kind: String, expected: StapledStatus) throws {
        let workshop = try workshop()
        try workshop.issue("stranger", isAuthority: true)
        let serial = try workshop.openssl(["x509", "-in", "leaf.pem", "-noout", "-serial"]).split(separator: "=")[1].split(separator: "\n")[0]
        let state = kind == "revoked" ? "R\t350101000000Z\t260101000000Z" : "V\t350101000000Z\t"
        try workshop.write("ocsp.index", Array("\(state)\t\(serial)\tunknown\t/CN=leaf\n".utf8))
        let signer = kind == "forged" ? "stranger" : "middle"
        try workshop.openssl(["ocsp", "-issuer", "middle.pem", "-cert", "leaf.pem", "-reqout", "request", "-no_nonce"])
        try workshop.openssl(
            ["ocsp", "-index", "ocsp.index", "-CA", "middle.pem", "-rsigner", signer + ".pem", "-rkey", signer + ".key", "-reqin", "request"]
                + ["-respout", "response", "-ndays", "30"])
        let server = try EndpointServer(workshop, chain: "leaf.pem", key: "leaf.key", "staple")
        let found = try look(at: "tls://127.0.0.1:" + server.port, workshop)
        #expect(found.stapled == expected)
        let codes = found.record.assessment.findings.map(\.code)
        #expect(codes.contains(.revoked) == (expected == .revoked))
        #expect(codes.contains(.revocationUnknown) == (expected == .unusable))
    }
}
