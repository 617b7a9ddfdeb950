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

    @Test func `a key in another directory is its certificate's too, and is told of where others can read it`() throws {
        try put("one.pem", as: "tree/certs/web.pem", mode: 0o644)
        try put("one.key", as: "tree/private/web.key")
        try put("two.key", as: "tree/private/other.key")
        let found = scan()
        #expect(found.records.map { $0.assessment.hasKey } == [true] && !codes(found).contains(.keyReadable))
        #expect(found.bareKeys(beside: found.records).map(\.path) == [workshop.path("tree/private/other.key")])
        try put("one.key", as: "tree/private/web.key", mode: 0o644)
        #expect(codes(scan()).contains(.keyReadable) && !codes(scan()).contains(.keyMismatch))
    }

    @Test(arguments: [("cert.pem", "key.pem"), ("certificate.pem", "private.pem"), ("server.crt", "private-key.pem"), ("cert.pem", "tls.key")])
    func `one key and one leaf whose names say no more fit each other, or that is told`(certificate: String, key: String) throws {
        try put("one.pem", as: "tree/" + certificate)
        try put("one.key", as: "tree/" + key)
        #expect(!codes(scan()).contains(.keyMismatch))
        try put("two.key", as: "tree/" + key)
        #expect(codes(scan()).contains(.keyMismatch))
        // With a second key, or a second leaf, nobody knows what is meant for what.
        try put("one.key", as: "tree/more/one.key")
        #expect(codes(scan()).contains(.keyMismatch))
        try put("one.key", as: "tree/third.key")
        #expect(!codes(scan()).contains(.keyMismatch))
        try FileManager.default.removeItem(atPath: workshop.path("tree/third.key"))
        try put("two.pem", as: "tree/third.pem")
        #expect(!codes(scan()).contains(.keyMismatch))
    }

    @Test(arguments: [("server.crt", "client.key"), ("peer.pem", "key.pem"), ("cert.pem", "device.key")])
    func `names that say whose they are accuse nobody`(certificate: String, key: String) throws {
        try put("one.pem", as: "tree/" + certificate)
        try put("two.key", as: "tree/" + key)
        #expect(!codes(scan()).contains(.keyMismatch))
    }

    @Test func `a certificate and a key that a configuration names for each other fit, or that is told`() throws {
        try put("one.pem", as: "tree/certs/web.pem")
        try put("one.key", as: "tree/private/web.key")
        try put("two.key", as: "tree/private/other.key")
        let text = "server { ssl_certificate ROOT/tree/certs/web.pem; ssl_certificate_key ROOT/tree/private/NAME.key; }"
        for (name, isWrong) in [("web", false), ("other", true), ("absent", false)] {
            let filled = text.replacingOccurrences(of: "ROOT", with: workshop.directory).replacingOccurrences(of: "NAME", with: name)
            try workshop.write("etc/nginx/nginx.conf", Array(filled.utf8))
            let programs = ProgramFiles(below: workshop.directory)
            var scanner = CertificateScanner(
                paths: programs.paths + [workshop.path("tree")], trust: TrustSources(usesSystemStore: false), at: now, clockIsTrustworthy: true)
            scanner.namedPairs = programs.pairs
            scanner.run()
            #expect(codes(scanner).contains(.keyMismatch) == isWrong, "\(name)")
        }
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

    @Test func `a key without a certificate beside it is told of by its public half, once, and one that has its certificate is not`() throws {
        try put("one.pem", as: "tree/a.pem")
        try put("one.key", as: "tree/a.key")
        try put("one.key", as: "tree/backup/a.key")
        try put("two.key", as: "tree/backup/b.key")
        try put("two.key", as: "tree/backup/c.key")
        let found = scan()
        #expect(found.bareKeys(beside: found.records).map(\.path) == [workshop.path("tree/backup/b.key")])
        try put("two.pem", as: "elsewhere/two.pem")
        var other = CertificateScanner(
            paths: [workshop.path("elsewhere")], trust: TrustSources(usesSystemStore: false), at: now, clockIsTrustworthy: true)
        other.run()
        // What its certificates have as their key's id.
        #expect(found.bareKeys(beside: found.records).map(\.id) == other.records.map { $0.assessment.keyId })
        #expect(other.bareKeys(beside: other.records).isEmpty)
        let table = CertificateTable(
            records: found.records, problems: found.problems, bareKeys: found.bareKeys(beside: found.records), at: now, clockIsTrustworthy: true)
        #expect(table.text().contains("1 private keys belong to none of these certificates"))
        let json = try #require(try JSONSerialization.jsonObject(with: Data(table.json().utf8)) as? [String: Any])
        #expect((json["keys"] as? [[String: String]])?.map { $0["path"] } == [workshop.path("tree/backup/b.key")])
    }

    @Test func `a key that has a certificate in its own file is not for those beside it`() throws {
        try workshop.openssl(["pkcs12", "-export", "-in", "one.pem", "-inkey", "one.key", "-out", "one.p12", "-passout", "pass:"])
        try put("one.p12", as: "tree/store.p12")
        try put("two.pem", as: "tree/store.pem")
        let found = scan()
        #expect(found.records.count == 2 && !codes(found).contains(.keyMismatch) && found.records.count { $0.assessment.hasKey } == 1)
        #expect(found.bareKeys(beside: found.records).isEmpty)
    }

    @Test func `a key in DER is one too`() throws {
        try workshop.openssl(["pkcs8", "-topk8", "-nocrypt", "-in", "one.key", "-outform", "DER", "-out", "pkcs8.der"])
        try put("one.key", as: "tree/a.key")
        let expected = scan().bareKeys(beside: []).map(\.id)
        try put("pkcs8.der", as: "tree/a.key")
        #expect(scan().bareKeys(beside: []).map(\.id) == expected && expected.count == 1 && scan().problems.isEmpty)
        // It goes with its certificate, and not with another.
        try put("one.pem", as: "tree/a.pem")
        #expect(!codes(scan()).contains(.keyMismatch) && scan().records.allSatisfy { $0.assessment.hasKey })
        try put("two.pem", as: "tree/a.pem")
        #expect(codes(scan()).contains(.keyMismatch))
    }

    @Test func `nothing of a private key is in the output`() throws {
        try put("one.pem", as: "tree/a.pem")
        try put("one.key", as: "tree/a.key", mode: 0o644)
        let scan = scan()
        try put("two.key", as: "tree/bare.key")
        let table = CertificateTable(
            records: scan.records, problems: scan.problems, bareKeys: self.scan().bareKeys(beside: scan.records), at: now, clockIsTrustworthy: true)
        let secret = String(decoding: try workshop.bytes("one.key"), as: UTF8.self).split(separator: "\n")[1]
        #expect(!table.text().contains(secret) && !table.json().contains(secret))
        let bare = String(decoding: try workshop.bytes("two.key"), as: UTF8.self).split(separator: "\n")[1]
        #expect(table.json().contains("bare.key") && !table.json().contains(bare))
        #expect(table.worst == .critical || table.worst == .problem)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(table.json().utf8)) as? [String: Any])
        #expect((json["certificates"] as? [[String: Any]])?.count == 1)
        #expect(table.text().contains("key_readable"))
    }

    /// Of one record in the table's JSON: its status and its validity.
    func status(_ table: CertificateTable) throws -> [String?] {
        let json = try #require(try JSONSerialization.jsonObject(with: Data(table.json().utf8)) as? [String: Any])
        let record = try #require((json["certificates"] as? [[String: Any]])?.first)
        return [json["status"] as? String, record["status"] as? String, record["validity"] as? String]
    }

    @Test func `a record's status in JSON is the worst of its findings, as in the table`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root")
        try put("leaf.pem", as: "tree/a.pem")
        let trust = TrustSources(usesSystemStore: false, files: [workshop.path("root.pem")])
        func table(clockIsTrustworthy: Bool = true) -> CertificateTable {
            var scanner = CertificateScanner(paths: [workshop.path("tree")], trust: trust, at: now, clockIsTrustworthy: clockIsTrustworthy)
            scanner.run()
            return CertificateTable(records: scanner.records, problems: scanner.problems, at: now, clockIsTrustworthy: clockIsTrustworthy)
        }
        #expect(try status(table()) == ["ok", "ok", "ok"] && table().worst == .note)
        try put("two.key", as: "tree/a.key")
        #expect(try status(table()) == ["critical", "critical", "ok"] && table().worst == .critical)
        #expect(table().text().split(separator: "\n")[1].hasPrefix("critical"))
        try FileManager.default.removeItem(atPath: workshop.path("tree/a.key"))
        #expect(try status(table(clockIsTrustworthy: false)) == ["problem", "unknown", "unknown"])
        #expect(table(clockIsTrustworthy: false).text().split(separator: "\n")[1].hasPrefix("unknown"))
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
