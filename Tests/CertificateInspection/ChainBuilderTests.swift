import CertificateFixtures
import CertificateInspection
import OpenSSLDriver
import Testing

struct ChainBuilderTests {
    private static let now: Int64 = 1_795_000_000_000  // 2026-11-18

    private func load(_ name: String, from workshop: CertificateWorkshop) throws -> ChainCertificate {
        var reader = CertificateReader(try workshop.bytes(name + ".pem"))
        return try ChainCertificate(try #require(try reader.next()))
    }

    private func verdict(
        on leaf: ChainCertificate, anchors roots: [ChainCertificate], _ intermediates: [ChainCertificate] = [],
        profile: ValidationProfile = .device, host: String? = nil, at: Int64 = now
    ) -> ChainVerdict {
        let anchors = TrustAnchors()
        for root in roots { anchors.add(root.certificate) }
        var request = ValidationRequest(profile: profile, at: at)
        if let host { request.names = [ReferenceName(host: host)] }
        var builder = ChainBuilder(anchors: anchors, intermediates: intermediates, request: request)
        return builder.verdict(on: leaf)
    }

    private func codes(_ verdict: ChainVerdict) -> [String] { verdict.faults.map { $0.code.name } }

    @Test func `a chain is found over intermediates in any order, and each way that it can fail has its name`() throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("middle", by: "root", isAuthority: true)
        try workshop.issue("lower", by: "middle", isAuthority: true)
        try workshop.issue("leaf", by: "lower", alternativeNames: "DNS:leaf.example,DNS:*.wide.example,IP:192.0.2.7")
        try workshop.issue("stranger", isAuthority: true)
        try workshop.issue("alone")
        let (root, middle, lower) = try (load("root", from: workshop), load("middle", from: workshop), load("lower", from: workshop))
        let (leaf, stranger) = try (load("leaf", from: workshop), load("stranger", from: workshop))

        let good = verdict(on: leaf, anchors: [root], [stranger, middle, root, lower], host: "leaf.example")
        #expect(good.isTrusted)
        #expect(good.chain.count == 4)
        #expect(codes(verdict(on: leaf, anchors: [root], [middle])) == ["incomplete_chain"])
        #expect(codes(verdict(on: leaf, anchors: [stranger], [middle, lower, root])) == ["untrusted_root"])
        #expect(codes(verdict(on: try load("alone", from: workshop), anchors: [root])) == ["self_signed"])
        #expect(verdict(on: root, anchors: [root]).isTrusted)
        #expect(codes(verdict(on: leaf, anchors: [root], [middle, lower], at: 2_100_000_000_000)).contains("expired"))
    }

    @Test(arguments: [
        ("leaf.example", true), ("LEAF.example.", true), ("a.wide.example", true), ("a.b.wide.example", false), ("wide.example", false),
        ("192.0.2.7", true), ("192.0.2.8", false), ("other.example", false),
    ])
    func `a host is matched as RFC 9525 says`(host: String, isMatch: Bool) throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root", alternativeNames: "DNS:leaf.example,DNS:*.wide.example,IP:192.0.2.7")
        let found = verdict(on: try load("leaf", from: workshop), anchors: [try load("root", from: workshop)], host: host)
        #expect(codes(found) == (isMatch ? [] : ["host_name_mismatch"]))
    }

    @Test func `of two issuers of one name and key the one that is valid is taken`() throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("middle", by: "root", isAuthority: true, to: "20260101000000Z")
        let old = try load("middle", from: workshop)
        try workshop.renew("middle", by: "root")
        try workshop.issue("leaf", by: "middle")
        let (root, leaf, new) = try (load("root", from: workshop), load("leaf", from: workshop), load("middle", from: workshop))
        #expect(verdict(on: leaf, anchors: [root], [old, new]).isTrusted)
        #expect(codes(verdict(on: leaf, anchors: [root], [old])) == ["expired_issuer"])
    }

    @Test func `truncated, mutated and random bytes are an error or a value, never a trap`() throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root", alternativeNames: "DNS:leaf.example,IP:192.0.2.7,email:a@leaf.example,URI:https://leaf.example/")
        let der = try load("leaf", from: workshop).content.der
        for length in 0..<der.count { #expect(throws: DERError.self) { try CertificateContent(Array(der[..<length])) } }
        var random = Seeded(state: 20_261_121)
        var read = 0
        for _ in 0..<3_000 {
            var bytes = der
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if (try? CertificateContent(bytes)) != nil { read += 1 }
            _ = try? RevocationContent(bytes)
        }
        #expect(read > 0)
    }
}

/// Randomness that can be repeated: SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
