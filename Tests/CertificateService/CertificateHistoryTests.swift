import CacheStores
import CertificateService
import CollectorFixtures
import DocumentStores
import LinuxDriver
import Testing
import TimeSeriesStores

/// What is kept of certificates over time.
@Suite struct CertificateHistoryTests {
    private let bench: ReportBench
    private var now: Int64 { bench.now }
    private static let day = ReportBench.day

    init() throws { bench = try ReportBench() }

    private func page(_ change: (inout CertificateQuestion) -> Void) async throws -> [String] {
        var question = CertificateQuestion()
        change(&question)
        return try await bench.service.page(question, at: now).certificates.map { $0.subject }
    }

    @Test func `findings, keys, issuers and what ends soon are found by`() async throws {
        let weak: JSONValue = ["code": "weak_key", "severity": "critical", "detail": "x"]
        try await bench.report(
            10, [bench.assessed("a", daysLeft: 50, key: "1", findings: [weak]), bench.assessed("b", daysLeft: 5, key: "2")])
        #expect(try await page { $0.finding = "weak_key" } == ["CN=a"])
        #expect(try await page { $0.finding = "weak" } == [])
        #expect(try await page { $0.endsBefore = now + 10 * Self.day } == ["CN=b"])
        #expect(try await page { $0.key = bench.id("1") } == ["CN=a"])
        #expect(try await page { $0.issuer = "CN=ca" } == ["CN=b", "CN=a"])
        #expect(try await page { $0.issuer = "CN=another" } == [])
        #expect(try await page { $0.certificate = bench.id("a") } == ["CN=a"])
        // What a later scan no longer says is no longer found.
        try await bench.report(20, [bench.assessed("a", daysLeft: 50, key: "1")])
        #expect(try await page { $0.finding = "weak_key" } == [])
    }

    @Test func `pages follow each other, and nothing is between them`() async throws {
        var all: [JSONValue] = []
        for (index, digit) in "0123456789abcdef".enumerated() {
            // Some end at the same time, and of one nobody knows when.
            guard case .object(var members) = bench.assessed(digit, daysLeft: Int64(index / 3 + 40)) else { continue }
            if digit == "7" { members["not_after"] = .null }
            all.append(.object(members))
        }
        try await bench.report(10, all)
        for limit in [1, 3, 5, 16, 17] {
            var question = CertificateQuestion()
            question.limit = limit
            var seen: [String] = []
            repeat {
                let page = try await bench.service.page(question, at: now)
                #expect(page.certificates.count <= limit)
                seen += page.certificates.map { $0.subject }
                question.after = page.next
            } while question.after != nil
            #expect(seen.count == 16 && Set(seen).count == 16 && seen.first == "CN=7", "\(limit): \(seen)")
        }
    }

    @Test func `a renewed certificate is known by what it replaced, and where it was stays known`() async throws {
        try await bench.report(10, [bench.assessed("a", path: "/tls/web.pem", subject: "CN=web"), bench.assessed("c", path: "/tls/other.pem")])
        try await bench.report(20, [bench.assessed("a", path: "/tls/web.pem", subject: "CN=web")])
        try await bench.report(30, [bench.assessed("b", path: "/tls/web.pem", subject: "CN=web")])
        try await bench.report(30, [bench.assessed("b", path: "/tls/web.pem", subject: "CN=web")])
        let old = try #require(try await bench.service.detail(of: bench.id("a")))
        #expect(old.places.isEmpty && old.history.count == 1)
        let history = try #require(old.history.first)
        #expect(history["from"] == 10 && history["to"] == 30 && history["replacedBy"]?.text == bench.id("b") && history["path"] == "/tls/web.pem")
        #expect(old.facts["firstSeen"] == 10)
        let new = try #require(try await bench.service.detail(of: bench.id("b")))
        #expect(new.replaced.map { $0["certificate"]?.text } == [bench.id("a")] && new.places.map { $0.path } == ["/tls/web.pem"])
        #expect(new.places.first?.firstSeen == 30)
        let gone = try #require(try await bench.service.detail(of: bench.id("c")))
        #expect(gone.history.map { $0["to"] } == [20] && gone.history.first?["replacedBy"] == nil)
        #expect(try await bench.service.detail(of: bench.id("f")) == nil)
    }

    @Test func `when a certificate was first and last seen is known, whichever device tells first`() async throws {
        let hours = Int64(3_600_000)
        try await bench.report(10 * hours, [bench.assessed("a")])
        try await bench.report(5 * hours, [bench.assessed("a")], device: "edge-2")
        try await bench.report(20 * hours, [bench.assessed("a")])
        let detail = try #require(try await bench.service.detail(of: bench.id("a")))
        #expect(detail.facts["firstSeen"]?.integer == 5 * hours && detail.facts["lastSeen"]?.integer == 20 * hours)
        #expect(Set(detail.places.map { $0.firstSeen }) == [10 * hours, 5 * hours] && detail.placesCount == 2)
        // The document waits for an hour; what is told does not.
        try await bench.report(20 * hours + 1_000, [bench.assessed("a")])
        let later = try #require(try await bench.service.detail(of: bench.id("a")))
        #expect(later.facts["lastSeen"]?.integer == 20 * hours && later.lastSeen == 20 * hours + 1_000)
    }

    @Test func `what is served and lies in no file of the device is told`() async throws {
        let onDisk = [bench.assessed("a"), bench.assessed("a", path: "localhost:443", isServed: true)]
        try await bench.report(10, onDisk + [bench.assessed("b", path: "localhost:8443", isServed: true)])
        #expect(try await page { $0.isServedOnly = true } == ["CN=b"])
        // Another device's file is of no use here.
        try await bench.report(10, [bench.assessed("b")], device: "edge-2")
        #expect(try await page { $0.isServedOnly = true } == ["CN=b"])
        try await bench.report(20, onDisk + [bench.assessed("b", path: "localhost:8443", isServed: true), bench.assessed("b")])
        #expect(try await page { $0.isServedOnly = true } == [])
    }

    @Test func `each validation is a row, once, and the newest is in the cache`() async throws {
        let scan = now - Self.day
        for _ in 0..<2 { try await bench.report(scan, [bench.assessed("a"), bench.assessed("a", path: "localhost:443", isServed: true)]) }
        try await bench.report(scan + 1_000, [bench.assessed("a", findings: [["code": "weak_key", "severity": "problem"]])])
        // Of an agent that does not say, and of a time that cannot be.
        try await bench.report(scan + 2_000, [bench.certificate("b")])
        try await bench.report(10, [bench.assessed("b")], device: "edge-2")
        let rows = try await bench.store.validations(of: bench.id("a"), limit: 10)
        #expect(rows.map { $0.at } == [scan + 1_000, scan, scan] && rows[0].securityScore == 84)
        #expect(rows.allSatisfy { $0.validationTime == 0.001 } && Set(rows.map { $0.responseTime }) == [0, 0.25])
        #expect(try await bench.store.validations(of: bench.id("b"), limit: 10).isEmpty)
        let cached = try #require(await bench.cache.get(CacheKey(.certificateValidation, bench.id("a"))))
        #expect(try JSONParser.parse(cached[...])["at"]?.integer == scan + 1_000)
        #expect(try await bench.service.detail(of: bench.id("a"))?.validation?["score"] == 84)
        // The store is asked where there is no cache.
        await bench.cache.remove([CacheKey(.certificate, bench.id("b")), CacheKey(.certificateValidation, bench.id("a"))])
        #expect(try await page { $0.certificate = bench.id("b") } == ["CN=b", "CN=b"])
        #expect(try await bench.service.detail(of: bench.id("a"))?.validation == nil)
    }

    @Test func `what makes no sense in a report is left out`() async throws {
        guard case .object(var members) = bench.assessed("a", daysLeft: 9, key: "1") else { return }
        members["score"] = 101
        members["key_id"] = "short"
        members["chain"] = .array([.string("x"), 7])
        members["role"] = "emperor"
        members["findings"] = .array([7, ["severity": "critical"]])
        try await bench.report(10, [.object(members)])
        let found = try #require(try await bench.service.page(CertificateQuestion(), at: now).certificates.first)
        #expect(found.score == nil && found.keyId.isEmpty && found.chain.isEmpty && found.role.isEmpty && found.findings.isEmpty)
    }
}
