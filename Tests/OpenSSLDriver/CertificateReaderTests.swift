import CertificateFixtures
import OpenSSLDriver
import Testing

@Suite struct CertificateReaderTests {
    let workshop: CertificateWorkshop

    init() throws { workshop = try CertificateWorkshop() }

    /// Everything that a reader gives: certificates and errors, in order.
    static func drain(_ bytes: [UInt8]) -> (facts: [CertificateFacts], errors: [OpenSSLError], otherBlocks: Int) {
        var reader = CertificateReader(bytes)
        var facts: [CertificateFacts] = []
        var errors: [OpenSSLError] = []
        while true {
            do throws(OpenSSLError) {
                guard let certificate = try reader.next() else { return (facts, errors, reader.otherBlocks) }
                facts.append(certificate.facts())
            } catch {
                errors.append(error)
            }
        }
    }

    @Test func `a bundle gives every certificate, whatever stands between them`() throws {
        try workshop.issue("one")
        try workshop.issue("two", key: .ed25519)
        let junk = Array("0 s:CN = one\nnotes \u{1F511}\n\n".utf8)
        let bytes = try junk + workshop.bytes("one.pem") + junk + workshop.bytes("one.key") + workshop.bytes("two.pem") + junk
        let (facts, errors, others) = Self.drain(bytes)
        #expect(facts.map(\.commonName) == ["one", "two"])
        #expect(errors.isEmpty)
        #expect(others == 1)
    }

    @Test func `DER certificates are read end to end`() throws {
        try workshop.issue("one")
        try workshop.makeDER("one")
        let der = try workshop.bytes("one.der")
        #expect(Self.drain(der).facts.map(\.commonName) == ["one"])
        #expect(Self.drain(der + der).facts.count == 2)
        let (facts, errors, _) = Self.drain(der + [1, 2, 3])
        #expect(facts.count == 1)
        #expect(errors.map(\.reason) == [.malformed])
    }

    @Test func `a damaged block is told with libcrypto's number and words, and those behind it are read`() throws {
        try workshop.issue("one")
        let good = String(decoding: try workshop.bytes("one.pem"), as: UTF8.self)
        let damaged = "-----BEGIN CERTIFICATE-----\nMIIB!!!!\n-----END CERTIFICATE-----\n"
        let wrong = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        let (facts, errors, _) = Self.drain(Array((damaged + good + wrong + good).utf8))
        #expect(facts.count == 2)
        #expect(errors.count == 2)
        for error in errors {
            #expect(error.reason == .malformed)
            #expect(error.code != 0)
            #expect(!error.text.isEmpty)
        }
    }

    @Test func `lines of other endings and lengths are read`() throws {
        try workshop.issue("one")
        let text = String(decoding: try workshop.bytes("one.pem"), as: UTF8.self)
        #expect(Self.drain(Array(text.replacing("\n", with: "\r\n").utf8)).facts.count == 1)
        #expect(Self.drain(Array(text.dropLast().utf8)).facts.count == 1)
        let lines: [String] = text.split(separator: "\n").map { String($0) }
        let oneLine: String = [lines[0], lines[1..<lines.count - 1].joined(), lines[lines.count - 1], ""].joined(separator: "\n")
        #expect(Self.drain(Array(oneLine.utf8)).facts.count == 1)
    }

    @Test func `an encrypted block asks nobody for a pass phrase`() {
        let text = "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n"
        #expect(Self.drain(Array((text + "-----END CERTIFICATE-----\n").utf8)).facts.isEmpty)
    }

    @Test(arguments: ["one.pem", "one.der"])
    func `a file cut anywhere ends in an error or in nothing`(_ name: String) throws {
        try workshop.issue("one", alternativeNames: "DNS:a.example,IP:192.0.2.1")
        try workshop.makeDER("one")
        let bytes = try workshop.bytes(name)
        // A PEM block is whole without its last line end.
        for count in 0..<bytes.count - 1 {
            #expect(Self.drain(Array(bytes[..<count])).facts.isEmpty)
        }
        #expect(Self.drain(bytes).facts.count == 1)
    }

    @Test func `a byte changed anywhere never traps`() throws {
        try workshop.issue("one", alternativeNames: "DNS:a.example,URI:http://a.example/")
        try workshop.makeDER("one")
        let bytes = try workshop.bytes("one.der")
        for index in bytes.indices {
            for value: UInt8 in [0x00, 0x7F, 0x80, 0xFF, bytes[index] ^ 1] {
                var changed = bytes
                changed[index] = value
                var reader = CertificateReader(changed)
                guard let certificate = try? reader.next() else { continue }
                _ = certificate.facts()
                _ = PublicKey(of: certificate)?.hasSigned(certificate)
                #expect(!certificate.encoding().isEmpty)
            }
        }
    }

    @Test func `random bytes are no certificate`() {
        var generator = SystemRandomNumberGenerator()
        for count in 0..<2000 {
            var bytes = (0..<count % 300).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count % 2 == 0 { bytes = [0x30, 0x82] + bytes }
            if count % 5 == 0 { bytes = Array("-----BEGIN CERTIFICATE-----\n".utf8) + bytes }
            #expect(Self.drain(bytes).facts.isEmpty)
        }
    }

    @Test func `a megabyte of block beginnings is read in one pass`() {
        let text = String(repeating: "-----BEGIN CERTIFICATE-----\n", count: 40_000)
        let clock = ContinuousClock()
        #expect(clock.measure { _ = Self.drain(Array(text.utf8)) } < .seconds(10))
        let pairs = String(repeating: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", count: 20_000)
        #expect(clock.measure { _ = Self.drain(Array(pairs.utf8)) } < .seconds(10))
    }

    @Test func `a certificate beyond the limit is refused`() throws {
        let names = (0..<4000).map { "DNS:host-number-" + String($0) + ".example" }.joined(separator: ",")
        try workshop.issue("one", alternativeNames: names)
        let (facts, errors, _) = Self.drain(try workshop.bytes("one.pem"))
        #expect(facts.isEmpty)
        #expect(errors.map(\.reason) == [.tooLarge])
    }
}
