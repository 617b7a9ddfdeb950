import AgentCertificates
import CertificateFixtures
import CertificateInspection
import Foundation
import Testing

/// What is put in the way of a scan comes to an end in bounded time and memory, and hides nothing beside it.
@Suite struct HostileFilesTests {
    let workshop: CertificateWorkshop
    let now: Int64 = 1_767_225_600_000

    init() throws {
        workshop = try CertificateWorkshop()
        try workshop.issue("one")
    }

    func scan(_ paths: [String], limits: ScanLimits = .command) -> CertificateScanner {
        var scanner = CertificateScanner(
            paths: paths, trust: TrustSources(usesSystemStore: false), at: now, clockIsTrustworthy: true, limits: limits)
        scanner.run()
        return scanner
    }

    @Test func `a gigabyte, and a structure of more than the limit that has to be read as a whole, are not read`() throws {
        try workshop.write("tree/one.pem", workshop.bytes("one.pem"))
        #expect(truncate(workshop.path("one.csr"), 1 << 30) == 0)
        try FileManager.default.moveItem(atPath: workshop.path("one.csr"), toPath: workshop.path("tree/gigabyte.pem"))
        try workshop.write("tree/structure.p12", [0x30, 0x84] + [UInt8](repeating: 2, count: 2 << 20))
        let scan = scan([workshop.path("tree")], limits: .daemon)
        #expect(scan.records.count == 1)
        #expect(scan.problems.map(\.text) == ["1073741824 bytes, at most 33554432", "2097154 bytes, at most 1048576"].map { "too large: " + $0 })
    }

    @Test func `a bundle as large as may be gives what its limit allows`() throws {
        let one = try workshop.bytes("one.pem")
        // Read in pieces.
        let count = 3 << 20 / one.count
        try workshop.write("bundle.pem", Array(repeatElement(one, count: count).joined()))
        #expect(scan([workshop.path("bundle.pem")]).records.count == count)
        var least = ScanLimits.command
        least.certificates = 20
        let bounded = scan([workshop.path("bundle.pem")], limits: least)
        #expect(bounded.records.count == 20 && bounded.problems.map(\.reason) == [.limitReached])
    }

    @Test func `what stands between the blocks of a long file, or is cut off in it, hides none of them`() throws {
        let one = try workshop.bytes("one.pem")
        var bundle: [UInt8] = []
        for index in 0..<1_300 { bundle += one + [UInt8](repeating: UInt8(ascii: "x"), count: index) + [10] }
        try workshop.write("bundle.pem", bundle)
        let scan = scan([workshop.path("bundle.pem")])
        try #require(bundle.count > 1 << 20)
        #expect(scan.records.count == 1_300 && scan.problems.isEmpty, "\(scan.records.count), \(scan.problems)")
        let endless = Array("-----BEGIN CERTIFICATE-----\n".utf8) + Array(repeatElement(Array("AAAAAAAAAAAAAAA\n".utf8), count: 1 << 17).joined())
        try workshop.write("endless.pem", one + endless + one + workshop.bytes("one.key"))
        let cut = self.scan([workshop.path("endless.pem")])
        #expect(cut.records.count == 2 && cut.problems.map(\.reason) == [.malformed])
    }

    @Test func `a name that is no UTF-8 is found and told of with its bytes written out`() throws {
        try workshop.write("tree/one.pem", workshop.bytes("one.pem"))
        let name = [CChar](workshop.path("tree/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9)]
        #expect(mkdir(name + [0], 0o755) == 0)
        let path = name + ".pem".utf8CString
        #expect(link(workshop.path("tree/one.pem"), name + "/\u{E9}.pem".utf8CString) == 0 && symlink("nowhere", path) == 0)
        for paths in [[workshop.path("tree")], [workshop.path("tree/*.pem"), workshop.path("tree/*/*.pem")]] {
            try? FileManager.default.removeItem(atPath: workshop.path("tree/one.pem"))
            let scan = scan(paths)
            #expect(scan.records.map(\.path) == [workshop.path("tree/caf\\xE9/\u{E9}.pem")])
            #expect(scan.problems.map { $0.path } == [workshop.path("tree/caf\\xE9.pem")] && scan.problems.map(\.reason) == [.missing])
        }
    }

    @Test func `devices and kernel files are no files of certificates`() throws {
        let scan = scan(["/dev/zero", "/dev/null", "/proc/self/environ"])
        #expect(scan.records.isEmpty)
        #expect(scan.problems.map(\.reason).prefix(2) == [.notRegular, .notRegular])
    }

    @Test func `what lies deeper than a walk goes is told of, once for a path`() throws {
        for name in ["tree/1/2/3/4/one.pem", "tree/1/2/3/4/5/6/two.pem", "tree/1/2/3/4/x/three.pem", "other/1/2/3/4/5/four.pem"] {
            try workshop.write(name, workshop.bytes("one.pem"))
        }
        let scan = scan([workshop.path("tree"), workshop.path("other")])
        #expect(scan.records.map(\.path) == [workshop.path("tree/1/2/3/4/one.pem")])
        #expect(scan.problems.map(\.text) == Array(repeating: "limit reached: more than 4 directories deep", count: 2))
    }

    @Test func `a pipe that is named like a certificate is told of, another is not`() throws {
        try workshop.write("tree/one.pem", workshop.bytes("one.pem"))
        for name in ["tree/pipe.pem", "tree/pipe.key", "tree/pipe"] { #expect(mkfifo(workshop.path(name), 0o600) == 0) }
        let scan = scan([workshop.path("tree")])
        #expect(scan.records.count == 1)
        #expect(Set(scan.problems.map(\.path)) == [workshop.path("tree/pipe.pem"), workshop.path("tree/pipe.key")])
        #expect(scan.problems.allSatisfy { $0.reason == .notRegular })
    }

    @Test func `without a clock the table says that nobody knows, and a chain that is wrong stays wrong`() throws {
        let trusted = TrustSources(usesSystemStore: false, files: [workshop.path("one.pem")])
        for (trust, word) in [(trusted, "unknown"), (TrustSources(usesSystemStore: false), "problem")] {
            var scanner = CertificateScanner(paths: [workshop.path("one.pem")], trust: trust, at: 0, clockIsTrustworthy: false)
            scanner.run()
            let table = CertificateTable(records: scanner.records, problems: scanner.problems, at: 0, clockIsTrustworthy: false)
            #expect(table.text().split(separator: "\n")[1].hasPrefix(word), "\(table.text())")
            #expect(table.json().contains("\"validity\":\"" + (word == "unknown" ? word : "untrusted") + "\",\"days_left\":null"))
            #expect(table.worst == .problem)
        }
    }

    @Test func `directories that link to each other are walked once`() throws {
        for name in ["a", "b", "c"] {
            try workshop.write("tree/\(name)/one.pem", workshop.bytes("one.pem"))
            for other in ["a", "b", "c"] {
                try FileManager.default.createSymbolicLink(
                    atPath: workshop.path("tree/\(name)/to-\(other)"), withDestinationPath: "../\(other)")
            }
        }
        let scan = scan([workshop.path("tree")])
        #expect(scan.records.count == 3 && scan.problems.isEmpty)
    }

    @Test func `a pattern is as good as the paths that it stands for`() throws {
        for name in ["x/1.pem", "y/2.pem", "y/3.txt"] { try workshop.write(name, workshop.bytes("one.pem")) }
        #expect(scan([workshop.path("[xy]/*.pem")]).records.count == 2)
        let none = scan([workshop.path("z/*.pem")])
        #expect(none.records.isEmpty && none.problems.map(\.reason) == [.missing])
    }

    @Test func `a path that commands a terminal is written out`() throws {
        try workshop.write("tree/\u{1B}[2J.pem", workshop.bytes("one.pem"))
        let scan = scan([workshop.path("tree")])
        let table = CertificateTable(records: scan.records, problems: scan.problems, at: now, clockIsTrustworthy: true)
        #expect(!table.text().unicodeScalars.contains("\u{1B}") && table.text().contains("\\u{1b}[2J.pem"))
    }
}
