import AgentCertificates
import CertificateFixtures
import CertificateInspection
import Testing

/// Revocation lists that lie among certificates.
@Suite struct MetListsTests {
    /// 2026-11-18.
    let now: Int64 = 1_795_000_000_000
    let workshop: CertificateWorkshop

    init() throws {
        workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        for name in ["bad", "good"] {
            try workshop.issue(name, by: "root")
            try workshop.write("tree/" + name + ".pem", workshop.bytes(name + ".pem"))
        }
        try workshop.write("index", [])
        try workshop.write("crl.cnf", Array("[ca]\ndefault_ca=one\n[one]\ndatabase=index\ndefault_md=sha256\n".utf8))
    }

    func list(as name: String, revoking certificates: [String] = []) throws {
        let base = ["ca", "-config", "crl.cnf", "-keyfile", "root.key", "-cert", "root.pem"]
        for one in certificates { try workshop.openssl(base + ["-revoke", one + ".pem"]) }
        try workshop.openssl(
            base + ["-gencrl", "-crl_lastupdate", "20261101000000Z", "-crl_nextupdate", "20261201000000Z", "-out", "list"])
        try workshop.write(name, workshop.bytes("list"))
    }

    func scan(limits: ScanLimits = .daemon, earlier: ScanMemory = ScanMemory()) -> CertificateScanner {
        let trust = TrustSources(usesSystemStore: false, files: [workshop.path("root.pem")])
        var scanner = CertificateScanner(
            paths: [workshop.path("tree")], trust: trust, at: now, clockIsTrustworthy: true, limits: limits, earlier: earlier)
        scanner.run()
        return scanner
    }

    func revoked(_ scan: CertificateScanner) -> [String] {
        scan.records.filter { $0.assessment.findings.contains { $0.code == .revoked } }.map(\.subject)
    }

    @Test func `a list that lies in a directory counts for all that was issued, wherever in the walk it lies`() throws {
        try list(as: "tree/z/last.crl", revoking: ["bad"])
        let found = scan()
        #expect(revoked(found) == ["CN=bad"] && found.records.count == 2 && found.problems.isEmpty)
    }

    @Test func `a list in a file of certificates counts too, and one alone is no problem`() throws {
        try list(as: "list.pem", revoking: ["bad"])
        try workshop.join(["good.pem", "list.pem"], as: "tree/good.pem")
        #expect(revoked(scan()) == ["CN=bad"])
        try workshop.write("tree/good.pem", workshop.bytes("good.pem"))
        let without = scan()
        #expect(revoked(without) == [])
        try workshop.write("tree/z.pem", workshop.bytes("list.pem"))
        let found = scan(earlier: without.memory)
        #expect(revoked(found) == ["CN=bad"] && found.records.count == 2 && found.problems.isEmpty)
        #expect(revoked(scan(earlier: found.memory)) == ["CN=bad"])
    }

    @Test func `a list that a certificate names is fetched by whoever asks for that, once, and nobody else`() throws {
        let server = try EndpointServer(workshop, chain: "root.pem", key: "root.key", "http")
        for (name, port) in [("far", server.port), ("gone", "1")] {
            var one = CertificateWorkshop.Oddity()
            one.extensions = ["basicConstraints=critical,CA:FALSE", "crlDistributionPoints=URI:http://127.0.0.1:\(port)/root.crl"]
            try workshop.issue(name, by: "root", one)
            try workshop.write("tree/" + name + ".pem", workshop.bytes(name + ".pem"))
        }
        try list(as: "unused", revoking: ["far"])
        #expect(revoked(scan()) == [])
        let trust = TrustSources(usesSystemStore: false, files: [workshop.path("root.pem")])
        var scanner = CertificateScanner(paths: [workshop.path("tree")], trust: trust, at: now, clockIsTrustworthy: true)
        let fetcher = RevocationFetcher()
        scanner.fetcher = fetcher
        scanner.run()
        #expect(revoked(scanner) == ["CN=far"] && scanner.records.count == 4)
        #expect(fetcher.problems.map(\.path) == ["http://127.0.0.1:1/root.crl"] && fetcher.problems.map(\.reason) == [.unreachable])
        for address in ["ftp://a/b", "http://", "http://a b/", "https://127.0.0.1/"] { #expect(fetcher.list(at: address) == nil) }
    }

    @Test func `another list makes an earlier verdict void, and the same one does not`() throws {
        try list(as: "tree/one.crl")
        let first = scan()
        #expect(revoked(first) == [])
        #expect(scan(earlier: first.memory).unchangedFiles == 2)
        try list(as: "tree/two.crl", revoking: ["bad"])
        let second = scan(earlier: first.memory)
        #expect(revoked(second) == ["CN=bad"] && second.unchangedFiles == 0)
    }

    @Test func `more lists than are used are a problem, and no more than some are told`() throws {
        for number in 0..<200 { try workshop.write("tree/" + String(number) + ".crl", []) }
        let found = scan()
        #expect(found.records.count == 2)
        #expect(found.problems.count { $0.reason == .limitReached } <= 64 && found.problems.count { $0.reason == .trustSource } == 64)
    }

    @Test func `a list that is too large, or none, is a problem and hides nothing`() throws {
        try list(as: "tree/one.crl")
        try workshop.write("tree/two.crl", Array("nothing".utf8))
        var least = ScanLimits.daemon
        least.listBytes = 100
        let found = scan(limits: least)
        #expect(found.records.count == 2)
        #expect(Set(found.problems.map(\.reason)) == [CertificateProblem.Reason.tooLarge, .trustSource])
    }
}
