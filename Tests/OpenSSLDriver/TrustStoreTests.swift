import CertificateFixtures
import OpenSSLDriver
import Testing

@Suite struct TrustStoreTests {
    let workshop: CertificateWorkshop
    /// 2026-01-01 and 2040-01-01, milliseconds since 1970.
    let now: Int64 = 1_767_225_600_000
    let later: Int64 = 2_208_988_800_000

    init() throws { workshop = try CertificateWorkshop() }

    func certificate(_ name: String) throws -> Certificate {
        var reader = CertificateReader(try workshop.bytes(name + ".pem"))
        return try #require(try reader.next())
    }

    func makeChain(intermediateEnds: String = "20350101000000Z") throws {
        try workshop.issue("root", isAuthority: true, to: "20450101000000Z")
        try workshop.issue("middle", by: "root", isAuthority: true, to: intermediateEnds)
        try workshop.issue("leaf", by: "middle")
    }

    @Test func `a chain over an intermediate to an anchor is trusted and told`() throws {
        try makeChain()
        let store = try TrustStore()
        try store.add(anchor: certificate("root"))
        let verdict = try store.verify(certificate("leaf"), intermediates: [certificate("middle")], at: now)
        #expect(verdict.isTrusted)
        #expect(verdict.chain.map(\.subject) == ["CN=leaf", "CN=middle", "CN=root"])
        #expect(verdict.chain.last?.notAfter == 2_366_841_600_000)
        #expect(try store.verify(certificate("root"), intermediates: [], at: now).isTrusted)
    }

    @Test func `without its intermediate a leaf is not trusted, and the reason is libcrypto's`() throws {
        try makeChain()
        let store = try TrustStore()
        try store.add(anchor: certificate("root"))
        let verdict = try store.verify(certificate("leaf"), intermediates: [], at: now)
        #expect(!verdict.isTrusted)
        #expect(verdict.code == 20)
        #expect(verdict.text == "unable to get local issuer certificate")
    }

    @Test func `a self-signed certificate is trusted only as an anchor`() throws {
        try workshop.issue("alone")
        let store = try TrustStore()
        let alone = try certificate("alone")
        let verdict = try store.verify(alone, intermediates: [], at: now)
        #expect(verdict.code == 18)
        try store.add(anchor: alone)
        try store.add(anchor: alone)
        #expect(try store.verify(alone, intermediates: [], at: now).isTrusted)
    }

    @Test func `anchors are found in a hashed directory`() throws {
        try makeChain()
        let hash = try workshop.openssl(["x509", "-in", "root.pem", "-noout", "-subject_hash"]).prefix(8)
        try workshop.write("anchors/" + hash + ".0", workshop.bytes("root.pem"))
        let store = try TrustStore()
        try store.add(hashedDirectory: workshop.path("anchors"))
        #expect(try store.verify(certificate("leaf"), intermediates: [certificate("middle")], at: now).isTrusted)
        #expect(try store.verify(certificate("root"), intermediates: [], at: now).isTrusted)
    }

    @Test func `a leaf's own dates have no part in its trust`() throws {
        try workshop.issue("root", isAuthority: true, to: "20450101000000Z")
        try workshop.issue("old", by: "root", from: "20200101000000Z", to: "20210101000000Z")
        try workshop.issue("new", by: "root", from: "20420101000000Z", to: "20430101000000Z")
        let store = try TrustStore()
        try store.add(anchor: certificate("root"))
        #expect(try store.verify(certificate("old"), intermediates: [], at: now).isTrusted)
        #expect(try store.verify(certificate("new"), intermediates: [], at: now).isTrusted)
        #expect(try !TrustStore().verify(certificate("old"), intermediates: [], at: now).isTrusted)
    }

    @Test func `an issuer that has expired ends trust, unless the time is not known`() throws {
        try makeChain(intermediateEnds: "20300101000000Z")
        let store = try TrustStore()
        try store.add(anchor: certificate("root"))
        let verdict = try store.verify(certificate("leaf"), intermediates: [certificate("middle")], at: later)
        #expect(verdict.code == 10)
        #expect(verdict.depth == 1)
        #expect(verdict.chain.count == 3)
        #expect(try store.verify(certificate("leaf"), intermediates: [certificate("middle")], at: nil).isTrusted)
    }

    @Test func `a bad signature is found behind an expired issuer`() throws {
        try workshop.issue("root", isAuthority: true, to: "20300101000000Z")
        try workshop.issue("leaf", by: "root")
        try workshop.makeDER("leaf")
        var bytes = try workshop.bytes("leaf.der")
        bytes[bytes.count - 1] ^= 1
        let store = try TrustStore()
        try store.add(anchor: certificate("root"))
        var reader = CertificateReader(bytes)
        let verdict = try store.verify(#require(try reader.next()), intermediates: [], at: later)
        #expect(verdict.code == 7)
    }

    @Test func `a renewed issuer is preferred to the expired one of the same name`() throws {
        try workshop.issue("root", isAuthority: true, to: "20450101000000Z")
        try workshop.issue("middle", by: "root", isAuthority: true, to: "20260101000000Z")
        try workshop.issue("leaf", by: "middle")
        let expired = try certificate("middle")
        // The same key, certified again.
        try workshop.openssl([
            "ca", "-batch", "-notext", "-preserveDN", "-config", "middle.cnf", "-in", "middle.csr", "-out", "middle.pem", "-startdate",
            "20250101000000Z", "-enddate", "20400601000000Z", "-cert", "root.pem", "-keyfile", "root.key",
        ])
        let store = try TrustStore()
        try store.add(anchor: certificate("root"))
        #expect(try store.verify(certificate("leaf"), intermediates: [expired, certificate("middle")], at: later).isTrusted)
    }

    @Test func `a leaf is no issuer`() throws {
        try makeChain()
        try workshop.issue("forged", by: "leaf")
        let store = try TrustStore()
        try store.add(anchor: certificate("root"))
        let verdict = try store.verify(certificate("forged"), intermediates: [certificate("leaf"), certificate("middle")], at: now)
        #expect(!verdict.isTrusted)
    }
}
