import CertificateFixtures
import CertificateInspection
import Testing

/// Revocation lists of an authority made by `openssl ca`.
@Suite struct RevocationTests {
    let now: Int64 = 1_795_000_000_000  // 2026-11-18

    @Test func `what a list of the issuer names is revoked, however old the list is, and for others an old list is no answer`() throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("good", by: "root")
        try workshop.issue("bad", by: "root")
        try workshop.write("index", [])
        try workshop.write("crl.cnf", Array("[ca]\ndefault_ca=one\n[one]\ndatabase=index\ndefault_md=sha256\n".utf8))
        let base = ["ca", "-config", "crl.cnf", "-keyfile", "root.key", "-cert", "root.pem"]
        try workshop.openssl(base + ["-revoke", "bad.pem"])
        for (name, from, to) in [("new", "20261101000000Z", "20261201000000Z"), ("old", "20260101000000Z", "20260201000000Z")] {
            try workshop.openssl(base + ["-gencrl", "-crl_lastupdate", from, "-crl_nextupdate", to, "-out", name + ".crl"])
        }
        func findings(_ certificate: String, _ lists: [String], isTrusted: Bool = true) throws -> [Finding] {
            let trust = TrustSources(
                usesSystemStore: false, files: isTrusted ? [workshop.path("root.pem")] : [], revocationLists: lists.map { workshop.path($0) })
            let inspector = CertificateInspector(trust: trust)
            #expect(inspector.problems.isEmpty)
            var inspection = FileInspection(path: "x", bytes: try workshop.bytes(certificate), profile: .webpki)
            guard case .certificate(let found) = inspection.next(with: inspector, at: now) else { return [] }
            return found.record.assessment.findings
        }
        func codes(_ certificate: String, _ list: String, isTrusted: Bool = true) throws -> [FindingCode] {
            try findings(certificate, [list], isTrusted: isTrusted).map(\.code)
        }
        #expect(try codes("bad.pem", "new.crl").contains(.revoked))
        #expect(try !codes("good.pem", "new.crl").contains { $0 == .revoked || $0 == .revocationUnknown })
        #expect(try findings("bad.pem", ["new.crl"]).first { $0.code == .revoked }?.detail == "")
        #expect(try findings("bad.pem", ["old.crl"]).filter { $0.code == .revoked }.map(\.detail) == ["by a list that is out of date"])
        #expect(try codes("good.pem", "old.crl").contains(.revocationUnknown) && !codes("good.pem", "old.crl").contains(.revoked))
        // A current one that no longer has it goes before, and one that is not the issuer's own is none.
        try workshop.write("index", [])
        try workshop.openssl(base + ["-gencrl", "-crl_lastupdate", "20261110000000Z", "-crl_nextupdate", "20261201000000Z", "-out", "empty.crl"])
        #expect(try !findings("bad.pem", ["old.crl", "empty.crl"]).contains { $0.code == .revoked || $0.code == .revocationUnknown })
        try workshop.openssl(["crl", "-in", "old.crl", "-outform", "DER", "-out", "forged.der"])
        var forged = try workshop.bytes("forged.der")
        forged[forged.count - 1] ^= 1
        try workshop.write("forged.crl", forged)
        #expect(try codes("bad.pem", "forged.crl").contains(.revocationUnknown) && !codes("bad.pem", "forged.crl").contains(.revoked))
        // Its issuer says so, whoever trusts that.
        try workshop.join(["bad.pem", "root.pem"], as: "chain.pem")
        let found = try codes("chain.pem", "new.crl", isTrusted: false)
        #expect(found.contains(.revoked) && found.contains(.untrustedRoot))
    }
}
