import CertificateFixtures
import CertificateInspection
import Testing

@Suite struct CertificateInspectorTests {
    let workshop: CertificateWorkshop
    /// 2026-01-01, milliseconds since 1970.
    let now: Int64 = 1_767_225_600_000

    init() throws { workshop = try CertificateWorkshop() }

    func inspect(_ name: String, trust: TrustSources, at now: Int64?) throws -> [InspectedCertificate] {
        let inspector = CertificateInspector(trust: trust)
        #expect(inspector.problems.isEmpty)
        var inspection = FileInspection(path: workshop.path(name), bytes: try workshop.bytes(name))
        var found: [InspectedCertificate] = []
        while case .certificate(let certificate) = inspection.next(with: inspector, at: now) { found.append(certificate) }
        return found
    }

    func trust(_ files: String...) -> TrustSources { TrustSources(usesSystemStore: false, files: files.map { workshop.path($0) }) }

    @Test func `each certificate of a file is judged with the others as its intermediates`() throws {
        try workshop.issue("root", isAuthority: true, to: "20450101000000Z")
        try workshop.issue("middle", by: "root", isAuthority: true, to: "20300101000000Z")
        try workshop.issue("leaf", by: "middle", alternativeNames: "DNS:leaf.example")
        try workshop.join(["leaf.pem", "middle.pem"], as: "chain.pem")
        let found = try inspect("chain.pem", trust: trust("root.pem"), at: now)
        #expect(found.map(\.record.subject) == ["CN=leaf", "CN=middle"])
        #expect(found.allSatisfy { $0.record.trusted && $0.record.trustError == nil })
        #expect(found[0].record.names == ["leaf.example"])
        // The intermediate ends first.
        #expect(found[0].changesAt == 1_893_456_000_000)
        #expect(try inspect("leaf.pem", trust: trust("root.pem"), at: now)[0].record.trustError == "incomplete chain")
        let later = try inspect("chain.pem", trust: trust("root.pem"), at: 1_893_456_001_000)
        #expect(later[0].record.trustError == "expired issuer (CN=middle)")
    }

    @Test func `a root of the trust store is trusted, a stranger is not and says why`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("stranger")
        #expect(try inspect("root.pem", trust: trust("root.pem"), at: now)[0].record.trusted)
        let stranger = try inspect("stranger.pem", trust: trust("root.pem"), at: now)[0].record
        #expect(!stranger.trusted)
        #expect(stranger.trustError == "self signed")
        #expect(CertificateStatus.judge(stranger, at: now, clockIsTrustworthy: true) == .untrusted)
    }

    @Test func `ten days before its end a certificate is expiring`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root", to: "20260111000000Z")
        let record = try inspect("leaf.pem", trust: trust("root.pem"), at: now)[0].record
        #expect(CertificateStatus.judge(record, at: now, clockIsTrustworthy: true) == .expiring)
        #expect(record.daysLeft(at: now) == 10)
    }

    @Test func `a plain directory of anchors serves as well`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root")
        try workshop.write("anchors/root.crt", workshop.bytes("root.pem"))
        let sources = TrustSources(usesSystemStore: false, directories: [workshop.path("anchors")])
        #expect(try inspect("leaf.pem", trust: sources, at: now)[0].record.trusted)
    }

    @Test func `a trust source that cannot be used is a problem, and the others serve`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.write("empty.pem", [])
        let inspector = CertificateInspector(trust: trust("missing.pem", "empty.pem", "root.pem"))
        #expect(inspector.problems.map(\.reason) == [.trustSource, .trustSource])
        var inspection = FileInspection(path: "x", bytes: try workshop.bytes("root.pem"))
        guard case .certificate(let root) = inspection.next(with: inspector, at: now) else { return #expect(Bool(false), "a certificate") }
        #expect(root.record.trusted)
    }

    @Test func `a hashed directory is preferred to a bundle`() throws {
        try workshop.write("hashed/0123abcd.0", [])
        try workshop.write("plain/0123abcd.pem", [])
        let sources = TrustSources(usesSystemStore: false, directories: [workshop.path("hashed"), workshop.path("plain")]).resolved()
        #expect(sources.hashedDirectories == [workshop.path("hashed")])
        #expect(sources.plainDirectories == [workshop.path("plain")])
    }

    @Test(arguments: [
        ("a.pem", true), ("A.CRT", true), ("x.ca-bundle", true), ("a.der", true), ("a.cert", true), ("a.cer", true), (".pem", false),
        ("a.key", false), ("pem", false), ("a.pem.bak", false), ("", false),
    ])
    func `certificate files are known by their suffix`(_ name: String, _ isCertificate: Bool) {
        #expect(CertificateFileName.isCertificate(name) == isCertificate)
    }

    @Test(arguments: [("/k/web.key", true), ("/k/privkey.pem", true), ("/k/web-key.PEM", true), ("/keys/web.pem", false), ("/k/key.crt", false)])
    func `a private key's file is known by its name, not by its directory`(_ path: String, _ meansKey: Bool) {
        #expect(CertificateFileName.meansKey(path) == meansKey)
    }
}
