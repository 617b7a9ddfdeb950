import CertificateFixtures
import OpenSSLDriver
import Testing

/// PKCS#7, PKCS#12, Java key stores, and keys.
@Suite struct ContainerTests {
    let workshop: CertificateWorkshop

    init() throws {
        workshop = try CertificateWorkshop()
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root")
        try workshop.join(["leaf.pem", "root.pem"], as: "both.pem")
    }

    private func read(_ bytes: [UInt8], passwords: [String] = []) throws -> (subjects: [String], keys: [String], keyBlocks: Int) {
        var reader = CertificateReader(bytes, passwords: passwords)
        var subjects: [String] = []
        while let one = try reader.next() { subjects.append(one.subject()) }
        return (subjects, reader.keys, reader.keyBlocks)
    }

    private func drain(_ bytes: [UInt8], passwords: [String] = []) {
        var reader = CertificateReader(bytes, passwords: passwords)
        for _ in 0..<100 {
            do { if try reader.next() == nil { return } } catch { continue }
        }
    }

    @Test(arguments: ["PEM", "DER"])
    func `a PKCS7 structure gives its certificates`(form: String) throws {
        try workshop.openssl(["crl2pkcs7", "-nocrl", "-certfile", "both.pem", "-outform", form, "-out", "both.p7b"])
        #expect(try Set(read(workshop.bytes("both.p7b")).subjects) == ["CN=leaf", "CN=root"])
    }

    @Test func `a PKCS12 file gives its certificates and its key to whoever has the password`() throws {
        let export = ["pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-certfile", "root.pem"]
        try workshop.openssl(export + ["-passout", "pass:secret", "-out", "closed.p12"])
        try workshop.openssl(export + ["-passout", "pass:", "-out", "open.p12"])
        let closed = try workshop.bytes("closed.p12")
        let error = try #require(throws: OpenSSLError.self) { try read(closed, passwords: ["wrong"]) }
        #expect(error.reason == .locked)
        let key = try read(try workshop.bytes("leaf.key")).keys
        #expect(key.count == 1)
        for found in [try read(closed, passwords: ["wrong", "secret"]), try read(try workshop.bytes("open.p12"))] {
            #expect(Set(found.subjects) == ["CN=leaf", "CN=root"] && found.keys == key && found.keyBlocks == 1)
        }
    }

    @Test func `a PKCS12 file that asks for endless work is refused at once`() throws {
        try workshop.openssl([
            "pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-passout", "pass:", "-iter", "2000", "-out", "small.p12",
        ])
        // 2,000 is 07 D0; the counts become 0x7FFFFFFF by a number of the same length in a file that is not verified before it is read.
        let bytes = try workshop.bytes("small.p12")
        for start in bytes.indices.dropLast(4) where Array(bytes[start..<start + 4]) == [0x02, 0x02, 0x07, 0xD0] {
            var bomb = bytes
            bomb[start + 2] = 0x7F
            bomb[start + 3] = 0xFF
            drain(bomb, passwords: Array(repeating: "x", count: 1000))
        }
        try workshop.openssl([
            "pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-passout", "pass:", "-nomac", "-iter", "5000000", "-out", "bomb.p12",
        ])
        let error = try #require(throws: OpenSSLError.self) { try read(try workshop.bytes("bomb.p12")) }
        #expect(error.reason == .tooLarge)
    }

    /// A Java key store of version 2 with such entries.
    private func store(_ magic: [UInt8], _ entries: [[UInt8]]) -> [UInt8] {
        magic + number(2, 4) + number(entries.count, 4) + entries.flatMap { $0 } + [UInt8](repeating: 0, count: 20)
    }

    private func number(_ value: Int, _ width: Int) -> [UInt8] { (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    private func text(_ text: String) -> [UInt8] { number(text.utf8.count, 2) + Array(text.utf8) }
    private func certificate(_ der: [UInt8]) -> [UInt8] { text("X.509") + number(der.count, 4) + der }

    @Test(arguments: [[0xFE, 0xED, 0xFE, 0xED], [0xCE, 0xCE, 0xCE, 0xCE]] as [[UInt8]])
    func `a Java key store gives its certificates without a password`(magic: [UInt8]) throws {
        for name in ["root", "leaf"] { try workshop.makeDER(name) }
        let (root, leaf) = try (workshop.bytes("root.der"), workshop.bytes("leaf.der"))
        let bytes = store(
            magic,
            [
                number(2, 4) + text("root") + number(0, 8) + certificate(root),
                number(1, 4) + text("leaf") + number(0, 8) + number(3, 4) + [1, 2, 3] + number(2, 4) + certificate(leaf) + certificate(root),
            ])
        let found = try read(bytes)
        #expect(found.subjects == ["CN=root", "CN=leaf", "CN=root"] && found.keyBlocks == 1)
        for length in 0..<bytes.count { drain(Array(bytes[..<length])) }
    }

    @Test func `a key store whose numbers have 32 bits is refused, not believed`() {
        let (magic, end): ([UInt8], [UInt8]) = ([0xFE, 0xED, 0xFE, 0xED], [UInt8](repeating: 0, count: 20))
        for number: [UInt8] in [[0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF]] {
            let entry = text("name") + self.number(0, 8)
            #expect(throws: OpenSSLError.self) { try read(magic + self.number(2, 4) + number + end) }
            #expect(throws: OpenSSLError.self) { try read(store(magic, [self.number(1, 4) + entry + number + end])) }
            #expect(throws: OpenSSLError.self) { try read(store(magic, [self.number(2, 4) + entry + text("X.509") + number + end])) }
        }
    }

    @Test func `a container with a byte changed anywhere never traps`() throws {
        try workshop.openssl([
            "pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-passout", "pass:", "-iter", "1", "-out", "one.p12",
        ])
        try workshop.openssl(["crl2pkcs7", "-nocrl", "-certfile", "both.pem", "-outform", "DER", "-out", "both.p7b"])
        for name in ["one.p12", "both.p7b"] {
            let bytes = try workshop.bytes(name)
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= UInt8(1 << (index % 8))
                drain(changed)
            }
        }
    }

    @Test func `an encrypted key is one, and says nothing`() throws {
        try workshop.openssl(["pkey", "-in", "leaf.key", "-aes128", "-passout", "pass:secret", "-out", "closed.key"])
        let found = try read(workshop.bytes("closed.key"))
        #expect(found.keys.isEmpty && found.keyBlocks == 1)
    }
}
