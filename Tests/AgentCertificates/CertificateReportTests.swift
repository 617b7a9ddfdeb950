import AgentCertificates
import CertificateFixtures
import CertificateInspection
import Foundation
import Telemetry
import Testing

@Suite struct CertificateReportTests {
    let workshop: CertificateWorkshop
    /// 2026-01-01, milliseconds since 1970.
    let now: Int64 = 1_767_225_600_000

    init() throws { workshop = try CertificateWorkshop() }

    func documents(_ records: [CertificateRecord], _ problems: [CertificateProblem], _ keys: [BareKey] = []) throws -> [[String: Any]] {
        let device = try #require(DeviceId("device-1"))
        return try CertificateReport.documents(records: records, problems: problems, keys: keys, device: device, at: now).map { text in
            #expect(text.utf8.count <= CertificateReport.documentBytesMax)
            return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }
    }

    func record() throws -> CertificateRecord {
        try workshop.issue("one", alternativeNames: "DNS:one.example")
        var scanner = CertificateScanner(
            paths: [workshop.path("one.pem")], trust: TrustSources(usesSystemStore: false), at: now, clockIsTrustworthy: true)
        scanner.run()
        return try #require(scanner.records.first)
    }

    @Test func `a small report is one document`() throws {
        let documents = try documents([record()], [CertificateProblem(.missing, "/a\"b")])
        #expect(documents.count == 1)
        let document = try #require(documents.first)
        #expect(document["type"] as? String == "certificate_report")
        #expect(document["scan"] as? Int == 1_767_225_600_000)
        #expect(document["at"] as? String == "2026-01-01T00:00:00Z")
        #expect(document["part"] as? Int == 1)
        #expect(document["parts"] as? Int == 1)
        let certificates = try #require(document["certificates"] as? [[String: Any]])
        #expect(certificates.map { $0["names"] as? [String] } == [["one.example"]])
        let problems = try #require(document["problems"] as? [[String: String]])
        #expect(problems == [["path": "/a\"b", "reason": "missing"]])
    }

    @Test func `issuers that lie in no file are told of, also when nothing has changed`() throws {
        try workshop.issue("root", isAuthority: true)
        try workshop.issue("middle", by: "root", isAuthority: true)
        try workshop.issue("leaf", by: "middle")
        try workshop.join(["leaf.pem", "middle.pem"], as: "chain.pem")
        var memory = ScanMemory()
        let device = try #require(DeviceId("device-1"))
        for isUnchanged in [false, true] {
            var scanner = CertificateScanner(
                paths: [workshop.path("chain.pem")], trust: TrustSources(usesSystemStore: false, files: [workshop.path("root.pem")]), at: now,
                clockIsTrustworthy: true, earlier: memory)
            scanner.run()
            memory = scanner.memory
            #expect(scanner.unchangedFiles == (isUnchanged ? 1 : 0))
            let text = try #require(
                CertificateReport.documents(records: scanner.records, issuers: scanner.issuers, problems: [], device: device, at: now).first)
            let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let authorities = try #require(document["authorities"] as? [[String: Any]])
            #expect(authorities.map { $0["subject"] as? String } == ["CN=root"])
            #expect(authorities.first?["not_after"] as? String == "2035-01-01T00:00:00Z")
        }
    }

    @Test func `a scan that found nothing is told too`() throws {
        let documents = try documents([], [])
        #expect(documents.count == 1)
        #expect((documents.first?["certificates"] as? [Any])?.isEmpty == true)
        #expect((documents.first?["problems"] as? [Any])?.isEmpty == true)
        // Collectors that know no keys see what they always saw.
        #expect(documents.first?["keys"] == nil)
    }

    @Test func `a large report is split, and its parts hold each item once and in order`() throws {
        let one = try record()
        let records = (0..<500).map { index in
            var record = one
            record.path = "/" + String(index)
            return record
        }
        let problems = (0..<300).map { CertificateProblem(.missing, "/p" + String($0), String(repeating: "\u{1}", count: 500)) }
        let documents = try documents(records, problems)
        #expect(documents.count > 10)
        #expect(documents.compactMap { $0["part"] as? Int } == Array(1...documents.count))
        #expect(documents.allSatisfy { $0["parts"] as? Int == documents.count })
        let paths = documents.flatMap { ($0["certificates"] as? [[String: Any]] ?? []).compactMap { $0["path"] as? String } }
        #expect(paths == records.map(\.path))
        let told = documents.flatMap { ($0["problems"] as? [[String: String]] ?? []).compactMap { $0["path"] } }
        #expect(told == problems.map(\.path))
    }

    @Test func `keys come last, each once, in parts that fit`() throws {
        let keys = (0..<BareKey.countMax).map {
            BareKey(id: String(repeating: "a", count: 64), path: "/" + String($0) + String(repeating: "x", count: 500))
        }
        let documents = try documents([record()], [CertificateProblem(.missing, "/a")], keys)
        #expect(documents.count > 2)
        let told = documents.flatMap { ($0["keys"] as? [[String: String]] ?? []).compactMap { $0["path"] } }
        #expect(told == keys.map(\.path))
        #expect(documents.map { ($0["certificates"] as? [Any])?.count } == [1] + documents.dropFirst().map { _ in 0 })
    }
}
