import AgentCertificates
import CertificateFixtures
import CertificateInspection
import Foundation
import Testing

@Suite struct KeyFilesTests {
    let workshop: CertificateWorkshop
    /// 2026-01-01, milliseconds since 1970.
    let now: Int64 = 1_767_225_600_000

    init() throws {
        workshop = try CertificateWorkshop()
        try workshop.issue("one")
        try workshop.issue("two")
    }

    func put(_ name: String, as other: String, mode: Int = 0o600) throws {
        try workshop.write(other, workshop.bytes(name))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: workshop.path(other))
    }

    func scan() -> CertificateScanner {
        var scanner = CertificateScanner(
            paths: [workshop.path("tree")], trust: TrustSources(usesSystemStore: false), at: now, clockIsTrustworthy: true)
        scanner.run()
        return scanner
    }

    func codes(_ scan: CertificateScanner) -> [FindingCode] {
        scan.records.flatMap { $0.findings(at: now, clockIsTrustworthy: true) }.map(\.code)
    }

    @Test(arguments: [("tree/a.crt", "tree/a.key"), ("tree/a-cert.pem", "tree/a-key.pem"), ("tree/fullchain.pem", "tree/privkey.pem")])
    func `a key beside a certificate fits it, or that is told`(certificate: String, key: String) throws {
        try put("one.pem", as: certificate)
        try put("one.key", as: key)
        #expect(!codes(scan()).contains(.keyMismatch))
        try put("two.key", as: key)
        #expect(codes(scan()).contains(.keyMismatch))
        #expect(scan().problems.isEmpty)
    }

    @Test func `a key beside a chain is the first certificate's, and says nothing of the issuers behind it`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root")
        try workshop.join(["leaf.pem", "root.pem"], as: "tree/a.pem")
        try put("leaf.key", as: "tree/a.key")
        #expect(!codes(scan()).contains(.keyMismatch))
        // A server takes the first one for the key's.
        try workshop.join(["root.pem", "leaf.pem"], as: "tree/a.pem")
        #expect(scan().records.map { $0.assessment.findings.contains { $0.code == .keyMismatch } } == [true, false])
    }

    @Test func `a key in the certificate's own file is compared too, and no key is where names have nothing in common`() throws {
        try workshop.join(["one.pem", "one.key"], as: "right.pem")
        try workshop.join(["one.pem", "two.key"], as: "wrong.pem")
        try put("right.pem", as: "tree/a.pem")
        try put("two.key", as: "tree/b.key")
        #expect(!codes(scan()).contains(.keyMismatch))
        try put("wrong.pem", as: "tree/a.pem")
        #expect(codes(scan()).contains(.keyMismatch))
    }

    @Test func `a key that every user can read is told, with its certificate and alone`() throws {
        try put("one.pem", as: "tree/a.pem", mode: 0o644)
        try put("one.key", as: "tree/a.key", mode: 0o640)
        #expect(!codes(scan()).contains(.keyReadable))
        try put("one.key", as: "tree/a.key", mode: 0o644)
        #expect(codes(scan()).contains(.keyReadable))
        #expect(scan().problems.map(\.reason) == [.keyReadable])
    }

    @Test func `certificates that share a key are told of each other, copies of one are not`() throws {
        try put("one.pem", as: "tree/a.pem")
        try put("one.pem", as: "tree/b.pem")
        #expect(!codes(scan()).contains(.duplicateKey))
        try workshop.renew("one", by: nil)
        try put("one.pem", as: "tree/c.pem")
        let found = scan().records.filter { $0.assessment.findings.contains { $0.code == .duplicateKey } }
        #expect(found.map(\.path).contains(workshop.path("tree/a.pem")))
    }

    @Test func `nothing of a private key is in the output`() throws {
        try put("one.pem", as: "tree/a.pem")
        try put("one.key", as: "tree/a.key", mode: 0o644)
        let scan = scan()
        let table = CertificateTable(records: scan.records, problems: scan.problems, at: now, clockIsTrustworthy: true)
        let secret = String(decoding: try workshop.bytes("one.key"), as: UTF8.self).split(separator: "\n")[1]
        #expect(!table.text().contains(secret) && !table.json().contains(secret))
        #expect(table.worst == .critical || table.worst == .problem)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(table.json().utf8)) as? [String: Any])
        #expect((json["certificates"] as? [[String: Any]])?.count == 1)
        #expect(table.text().contains("key_readable"))
    }

    @Test func `paths decide over profiles`() {
        var profiles = ProfilePaths()
        profiles.web = ["/etc/letsencrypt/", "/srv/web.pem"]
        for (path, profile) in [
            ("/etc/letsencrypt/live/a.pem", ValidationProfile.webpki), ("/etc/letsencrypt2/a.pem", .device), ("/srv/web.pem", .webpki),
            ("/srv/web.pem2", .device),
        ] {
            #expect(profiles.profile(of: path) == profile)
        }
    }
}
