import AgentCertificates
import CertificateFixtures
import CertificateInspection
import Foundation
import Testing

@Suite struct CertificateScannerTests {
    let workshop: CertificateWorkshop
    /// 2026-01-01, milliseconds since 1970.
    let now: Int64 = 1_767_225_600_000

    init() throws { workshop = try CertificateWorkshop() }

    func scanner(_ paths: [String], trust: [String] = [], at now: Int64? = nil, earlier: ScanMemory = ScanMemory()) -> CertificateScanner {
        CertificateScanner(
            paths: paths.map { workshop.path($0) }, trust: TrustSources(usesSystemStore: false, files: trust.map { workshop.path($0) }),
            at: now ?? self.now, clockIsTrustworthy: true, earlier: earlier)
    }

    func scan(_ paths: [String], trust: [String] = [], at now: Int64? = nil, earlier: ScanMemory = ScanMemory()) -> CertificateScanner {
        var scanner = scanner(paths, trust: trust, at: now, earlier: earlier)
        scanner.run()
        return scanner
    }

    func copy(_ name: String, to other: String) throws { try workshop.write(other, workshop.bytes(name)) }

    @Test func `directories are searched by suffix down to a depth, named files by content`() throws {
        try workshop.issue("one")
        try workshop.makeDER("one")
        for name in ["tree/a.pem", "tree/b.txt", "tree/1/2/3/4/deep.crt", "tree/1/2/3/4/5/deeper.crt", "tree/one.key", "named"] {
            try copy(name == "tree/one.key" ? "one.key" : "one.pem", to: name)
        }
        try copy("one.der", to: "tree/c.der")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: workshop.path("tree/one.key"))
        let scan = scan(["tree", "named"])
        #expect(scan.problems.map(\.reason) == [.limitReached])
        #expect(scan.records.map(\.path) == ["tree/1/2/3/4/deep.crt", "tree/a.pem", "tree/c.der", "named"].map { workshop.path($0) })
        #expect(Set(scan.records.map(\.id)).count == 1)
        #expect(scan.records.allSatisfy { $0.validationTime > 0 && $0.validationTime < 10 })
    }

    @Test func `links are followed, each file and directory once`() throws {
        try workshop.issue("one")
        try copy("one.pem", to: "tree/sub/a.pem")
        let files = FileManager.default
        try files.createSymbolicLink(atPath: workshop.path("tree/sub/loop"), withDestinationPath: "..")
        try files.createSymbolicLink(atPath: workshop.path("tree/sub/again.pem"), withDestinationPath: "a.pem")
        try files.createSymbolicLink(atPath: workshop.path("tree/self.pem"), withDestinationPath: "self.pem")
        try files.createSymbolicLink(atPath: workshop.path("tree/gone.pem"), withDestinationPath: "nowhere.pem")
        let scan = scan(["tree", "tree/sub"])
        #expect(scan.records.map(\.path) == [workshop.path("tree/sub/a.pem")])
        #expect(scan.problems.map(\.reason) == [.missing, .unreadable])
    }

    @Test func `a FIFO is never waited for`() throws {
        try workshop.issue("one")
        try copy("one.pem", to: "tree/a.pem")
        #expect(mkfifo(workshop.path("tree/pipe.pem"), 0o644) == 0)
        let scan = scan(["tree", "tree/pipe.pem"])
        #expect(scan.records.count == 1)
        #expect(scan.problems.map(\.reason) == [.notRegular])
    }

    @Test func `what gives no certificate is a problem with its reason`() throws {
        try workshop.issue("one")
        try workshop.write("empty.pem", [])
        try workshop.write("bad.pem", Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8))
        try workshop.write("large.pem", [UInt8](repeating: 0x20, count: 1 << 20))
        let scan = scan(["missing.pem", "empty.pem", "one.key", "bad.pem", "large.pem", "one.pem"])
        #expect(scan.problems.map(\.reason) == [.missing, .noCertificate, .malformed, .noCertificate])
        #expect(scan.problems.allSatisfy { $0.path.hasPrefix("/") })
        #expect(scan.records.count == 1)
    }

    @Test func `what is damaged in a bundle hides nothing of the rest`() throws {
        try workshop.issue("one")
        try workshop.write("bad.pem", Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8))
        try workshop.join(["one.pem", "bad.pem", "one.pem"], as: "bundle.pem")
        let scan = scan(["bundle.pem"])
        #expect(scan.records.count == 2)
        #expect(scan.problems.map(\.reason) == [.malformed])
    }

    @Test func `a scan in small steps finds what one at once finds`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("leaf", by: "root")
        try workshop.join(["leaf.pem", "root.pem", "leaf.pem"], as: "tree/chain.pem")
        try copy("leaf.pem", to: "tree/leaf.pem")
        var stepped = scanner(["tree"], trust: ["root.pem"])
        var steps = 0
        while !stepped.step(budget: 1) { steps += 1 }
        #expect(steps > 5)
        let whole = scan(["tree"], trust: ["root.pem"])
        #expect(stepped.records.map(\.id) == whole.records.map(\.id))
        #expect(whole.records.count == 4)
        #expect(whole.records.allSatisfy { $0.trusted })
    }

    @Test func `what is unchanged is not read again`() throws {
        try workshop.issue("root", isAuthority: true, to: "20450101000000Z")
        try workshop.issue("middle", by: "root", isAuthority: true, to: "20300101000000Z")
        try workshop.issue("leaf", by: "middle")
        try workshop.join(["leaf.pem", "middle.pem"], as: "chain.pem")
        try workshop.issue("other")
        let paths = ["chain.pem", "other.pem"]
        let first = scan(paths, trust: ["root.pem"])
        #expect(first.unchangedFiles == 0)

        let second = scan(paths, trust: ["root.pem"], at: now + 1000, earlier: first.memory)
        #expect(second.unchangedFiles == 2)
        #expect(second.records == first.records)
        try FileManager.default.moveItem(atPath: workshop.path("other.pem"), toPath: workshop.path("renamed.pem"))
        let renamed = scan(["chain.pem", "renamed.pem"], trust: ["root.pem"], at: now + 1000, earlier: first.memory)
        #expect(renamed.unchangedFiles == 1)
        #expect(renamed.records.last?.path == workshop.path("renamed.pem"))
        try FileManager.default.moveItem(atPath: workshop.path("renamed.pem"), toPath: workshop.path("other.pem"))

        let crossed = scan(paths, trust: ["root.pem"], at: 1_900_000_000_000, earlier: second.memory)
        #expect(crossed.unchangedFiles == 1)
        #expect(crossed.records[0].trustError == "expired issuer (CN=middle)")

        #expect(scan(paths, trust: ["root.pem"], at: now - 1000, earlier: second.memory).unchangedFiles == 0)
        #expect(scan(paths, trust: ["root.pem", "other.pem"], earlier: first.memory).unchangedFiles == 0)

        try workshop.join(["leaf.pem"], as: "chain.pem")
        let changed = scan(paths, trust: ["root.pem"], at: now + 2000, earlier: second.memory)
        #expect(changed.unchangedFiles == 1)
        #expect(changed.records.count == 2)
    }

    @Test func `a trust source that is missing is told by every scan`() throws {
        try workshop.issue("one")
        let first = scan(["one.pem"], trust: ["missing.pem"])
        let second = scan(["one.pem"], trust: ["missing.pem"], earlier: first.memory)
        #expect(second.unchangedFiles == 1)
        #expect(first.problems.map(\.reason) == [.trustSource])
        #expect(second.problems == first.problems)
    }

    @Test func `certificates and files have a limit that is told`() throws {
        try workshop.issue("one", key: .ed25519)
        try workshop.makeDER("one")
        let der = try workshop.bytes("one.der")
        let bundle = Array(repeatElement(der, count: 700).joined())
        for name in ["a.der", "b.der", "c.der"] { try workshop.write("many/" + name, bundle) }
        let certificates = scan(["many"])
        #expect(certificates.recordsCount == ScanLimits.daemon.certificates)
        #expect(certificates.problems.map(\.reason) == [.limitReached])

        for index in 0...ScanLimits.daemon.files { try workshop.write("files/" + String(index) + ".pem", []) }
        let files = scan(["files"])
        #expect(files.problems.count == CertificateScanner.problemsMax)
        #expect(files.problems.last?.reason == .limitReached)
    }

    @Test func `the machine's own store trusts its roots and no stranger`() throws {
        try workshop.issue("stranger")
        let directory = "/etc/ssl/certs"
        guard let root = try? FileManager.default.contentsOfDirectory(atPath: directory).sorted().first(where: { $0.hasSuffix("Root_X1.pem") })
        else { return }
        var scanner = CertificateScanner(
            paths: [directory + "/" + root, workshop.path("stranger.pem")], trust: TrustSources(), at: now, clockIsTrustworthy: true)
        scanner.run()
        #expect(scanner.records.map(\.trusted) == [true, false])
    }
}
