import CertificateFixtures
import OpenSSLDriver
import Testing

@Suite struct CertificateFactsTests {
    let workshop: CertificateWorkshop

    init() throws { workshop = try CertificateWorkshop() }

    func facts(_ name: String) throws -> CertificateFacts {
        var reader = CertificateReader(try workshop.bytes(name + ".pem"))
        return try #require(try reader.next()).facts()
    }

    @Test func `names, dates, serial and fingerprint are what the command line says`() throws {
        try workshop.issue("one", subject: "/C=DE/O=Farwatch/CN=one.example")
        let facts = try facts("one")
        #expect(facts.subject == "CN=one.example,O=Farwatch,C=DE")
        #expect(facts.issuer == facts.subject)
        #expect(facts.isSelfIssued)
        #expect(!facts.isAuthority)
        #expect(facts.version == 3)
        #expect(facts.notBefore == 1_735_689_600_000)
        #expect(facts.notAfter == 2_051_222_400_000)
        let told = try workshop.openssl(["x509", "-in", "one.pem", "-noout", "-serial", "-fingerprint", "-sha256"]).lowercased()
        #expect(told.contains("serial=" + facts.serial))
        #expect(told.replacing(":", with: "").contains("fingerprint=" + facts.fingerprint))
    }

    @Test(arguments: [
        (CertificateWorkshop.Key.rsa, "RSA", 2048, "sha256WithRSAEncryption"), (.p256, "EC P-256", 256, "ecdsa-with-SHA256"),
        (.p384, "EC P-384", 384, "ecdsa-with-SHA256"), (.ed25519, "Ed25519", 256, "ED25519"),
    ])
    func `keys and signatures are named`(_ key: CertificateWorkshop.Key, _ name: String, _ bits: Int, _ signature: String) throws {
        try workshop.issue("one", key: key)
        let facts = try facts("one")
        #expect(facts.keyAlgorithm == name)
        #expect(facts.keyBits == bits)
        #expect(facts.signatureAlgorithm == signature)
    }

    @Test func `letters beyond ASCII stay, and what means something in a name is escaped`() throws {
        try workshop.issue("one", subject: "/O=Müller, \"Söhne\" \\+ Co/CN=Gerät <7>; ключ")
        let facts = try facts("one")
        #expect(facts.subject == "CN=Gerät \\<7\\>\\; ключ,O=Müller\\, \\\"Söhne\\\" \\+ Co")
        #expect(facts.commonName == "Gerät <7>; ключ")
    }

    @Test func `alternative names of every kind are told`() throws {
        try workshop.issue(
            "one", alternativeNames: "DNS:*.a.example,IP:192.0.2.7,IP:2001:db8:0:0:1:0:0:1,IP:::,email:x@a.example,URI:https://a.example/p,RID:1.2.3")
        #expect(
            try facts("one").alternativeNames == [
                AlternativeName(kind: .dns, text: "*.a.example"), AlternativeName(kind: .address, text: "192.0.2.7"),
                AlternativeName(kind: .address, text: "2001:db8::1:0:0:1"), AlternativeName(kind: .address, text: "::"),
                AlternativeName(kind: .email, text: "x@a.example"), AlternativeName(kind: .uri, text: "https://a.example/p"),
            ])
    }

    @Test func `a NUL in a name is shown and cuts nothing`() throws {
        // The extension as DER: one dNSName, "good.example\0.bad.example".
        let name = Array("good.example".utf8) + [0] + Array(".bad.example".utf8)
        let encoded = [0x30, UInt8(name.count + 2), 0x82, UInt8(name.count)] + name
        let hex = encoded.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
        try workshop.issue("one", alternativeNames: "DER:" + hex)
        #expect(try facts("one").alternativeNames.map(\.text) == ["good.example\\x00.bad.example"])
    }

    @Test func `a negative serial has its sign`() throws {
        try workshop.openssl(
            ["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=x", "-set_serial", "-10", "-keyout", "x.key", "-out", "x.pem"])
        #expect(try facts("x").serial == "-0a")
    }

    @Test func `dates reach from 1950 to 9999`() throws {
        try workshop.issue("one", from: "19500101000000Z", to: "99991231235959Z")
        let facts = try facts("one")
        #expect(facts.notBefore == -631_152_000_000)
        #expect(facts.notAfter == 253_402_300_799_000)
    }

    @Test func `a date that is none is nil`() throws {
        try workshop.issue("one")
        try workshop.makeDER("one")
        var bytes = try workshop.bytes("one.der")
        let date = Array("350101000000Z".utf8)
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: date) })
        bytes[start + 2] = UInt8(ascii: "9")
        var reader = CertificateReader(bytes)
        let facts = try #require(try reader.next()).facts()
        #expect(facts.notBefore != nil)
        #expect(facts.notAfter == nil)
    }
}
