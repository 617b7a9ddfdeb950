import CertificateFixtures
import CertificateInspection
import Testing

/// Findings that no tool makes a certificate for: its bytes are changed.
extension FindingTests {
    @Test func `damage to a certificate's bytes is found`() throws {
        try issue("rsa") { $0.key = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] }
        try workshop.makeDER("rsa")
        let der = try workshop.bytes("rsa.der")
        #expect(try findings(in: der, at: 1_793_000_000_000) == [])
        var forged = der
        forged[forged.count - 1] ^= 1
        #expect(try findings(in: forged).contains("bad_signature"))
        // What is signed names ECDSA with SHA-384, the signature SHA-256; and an extension takes the name of another.
        try issue("ec") { $0.extensions = Self.server + [Self.names, "1.2.3.4=DER:05:00", "1.2.3.5=DER:05:00"] }
        try workshop.makeDER("ec")
        let ec = try workshop.bytes("ec.der")
        #expect(try findings(in: ec, at: 1_793_000_000_000) == [])
        let algorithm: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]
        #expect(try findings(in: Self.changing(ec, algorithm, at: 7, to: 3)).contains("signature_algorithm_mismatch"))
        #expect(try findings(in: Self.changing(ec, [0x06, 0x03, 0x2A, 0x03, 0x05], at: 4, to: 4)).contains("duplicate_extension"))
        // The first byte of a serial number of 20 bytes, behind the version, with the sign in it.
        let version: [UInt8] = [0xA0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x14]
        #expect(try findings(in: Self.changing(ec, version, at: 7, to: 0x90)).contains("serial_not_positive"))
    }

    /// The bytes with one changed in the first place where these stand.
    private static func changing(_ bytes: [UInt8], _ wanted: [UInt8], at offset: Int, to value: UInt8) throws -> [UInt8] {
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: wanted) })
        var changed = bytes
        changed[place + offset] = value
        return changed
    }

    // MARK: Weak keys

    /// A certificate of an RSA key, and where the key's exponent 65537 begins; the modulus ends right before it.
    private func rsa() throws -> (der: [UInt8], exponent: Int) {
        try issue("rsa") { $0.key = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] }
        try workshop.makeDER("rsa")
        let der = try workshop.bytes("rsa.der")
        return (der, try #require(der.indices.first { Array(der[$0...].prefix(5)) == [0x02, 0x03, 0x01, 0x00, 0x01] }))
    }

    @Test func `an exponent that is even, or one, is found`() throws {
        let (der, exponent) = try rsa()
        var even = der
        even[exponent + 4] = 0
        #expect(try findings(in: even).contains("bad_exponent"))
        var one = der
        one[exponent + 2] = 0
        #expect(try findings(in: one).contains("bad_exponent"))
        #expect(try !findings(in: der).contains("bad_exponent"))
    }

    @Test func `a modulus that a small prime divides is found`() throws {
        let (der, exponent) = try rsa()
        #expect(try !findings(in: der).contains("known_weak_key"))
        // The last byte counted up until one does.
        let isFound = (0..<256).contains { step in
            var changed = der
            changed[exponent - 1] = UInt8(truncatingIfNeeded: Int(der[exponent - 1]) + 2 * step)
            return (try? findings(in: changed).contains("known_weak_key")) ?? false
        }
        #expect(isFound)
    }

    @Test func `a modulus of the generator that was broken is found`() throws {
        let (der, exponent) = try rsa()
        // One whose rest by each of the primes is 1, the zeroth power of 65537: the last 16 bytes are raised by what is missing. No small prime
        // divides it.
        let primes: [UInt128] = [3, 5, 7, 11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]
        let product = primes.reduce(1, *)
        let modulus = der[(exponent - 256)..<exponent]
        let rest = modulus.reduce(UInt128(0)) { ($0 << 8 | UInt128($1)) % product }
        var end = modulus.suffix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        // Bits that would run over are taken away beforehand, and put back into what is missing.
        let top = end >> 120 == 0xFF ? product : 0
        end -= top
        var missing = (1 + product + top % product - rest) % product
        if (end + missing) & 1 == 0 { missing += product }
        end += missing
        var weak = der
        for index in 0..<16 { weak[exponent - 1 - index] = UInt8(truncatingIfNeeded: end >> (8 * UInt128(index))) }
        #expect(try findings(in: weak).contains("known_weak_key"))
    }

    @Test func `a modulus of two primes that lie close together is found`() throws {
        let (der, exponent) = try rsa()
        let prime = try OddNumber(hexadecimal: workshop.openssl(["prime", "-generate", "-hex", "-bits", "1024"]))
        let far = try OddNumber(hexadecimal: workshop.openssl(["prime", "-generate", "-hex", "-bits", "1024"]))
        // One in 355 odd numbers of that length is a prime.
        let others = (1...8000).map { prime.plus(UInt64(2 * $0)).hexadecimal }
        var next: OddNumber?
        for start in stride(from: 0, to: others.count, by: 500) where next == nil {
            let answers = try workshop.openssl(["prime", "-hex"] + others[start..<(start + 500)]).split(separator: "\n")
            next = try answers.first { $0.hasSuffix("is prime") }.map { try OddNumber(hexadecimal: String($0.prefix { $0 != " " })) }
        }
        let close = try #require(next)
        for (other, isFound) in [(close, true), (prime, true), (far, false)] {
            var changed = der
            changed.replaceSubrange((exponent - 256)..<exponent, with: prime.times(other))
            #expect(try findings(in: changed).contains("known_weak_key") == isFound)
        }
    }

    // MARK: Tables

    @Test(arguments: [
        ("le*f.example", true), ("*", true), ("a.*.example", true), ("*a.example", true), ("**.example", true), ("*.leaf.example", false),
    ])
    func `a wildcard is the whole of the first label, or misused`(name: String, isMisused: Bool) throws {
        try issue("wild") { $0.extensions = Self.server + ["subjectAltName=DNS:" + name] }
        #expect(try findings("wild.pem").contains("wildcard_misuse") == isMisused)
    }

    /// BR 6.3.2: until the day before, each first date allows more days than the next.
    @Test(arguments: [
        ("20250101000000Z", "20260202235959Z", false), ("20250101000000Z", "20260203235959Z", true),  // 398 days and 399
        ("20260315000000Z", "20260930235959Z", false), ("20260315000000Z", "20261001235959Z", true),  // 200 and 201
        ("20270315000000Z", "20270622235959Z", false), ("20270315000000Z", "20270623235959Z", true),  // 100 and 101
        ("20290314000000Z", "20290621235959Z", false), ("20290315000000Z", "20290430235959Z", false),
        ("20290315000000Z", "20290501235959Z", true),  // 47 and 48
    ])
    func `a validity is held against the limit of the day on which it begins`(from: String, to: String, isTooLong: Bool) throws {
        try issue("dated") { ($0.from, $0.to) = (from, to) }
        #expect(try findings("dated.pem").contains("validity_too_long") == isTooLong)
    }
}
