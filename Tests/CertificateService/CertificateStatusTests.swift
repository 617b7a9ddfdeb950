import CertificateService
import DocumentStores
import Testing

/// One word for a certificate, by its worst finding and its end.
@Suite struct CertificateStatusTests {
    private let bench: ReportBench
    private var now: Int64 { bench.now }
    private static let day = ReportBench.day

    init() throws { bench = try ReportBench() }

    private static func finding(_ severity: String, _ code: String = "weak_key") -> JSONValue {
        ["code": .string(code), "severity": .string(severity)]
    }

    private func statuses(_ after: Int64 = 0) async throws -> [String: CertificateStatus] {
        let found = try await bench.service.page(CertificateQuestion(), at: now + after).certificates
        return Dictionary(found.map { ($0.subject, $0.status(at: now + after)) }) { first, _ in first }
    }

    /// By pages of any size, so that those of several selections follow each other.
    private func asked(
        _ status: CertificateStatus, _ after: Int64 = 0, _ change: (inout CertificateQuestion) -> Void = { _ in }
    ) async throws -> [String] {
        var all: [[String]] = []
        for limit in [1, 2, 100] {
            var question = CertificateQuestion()
            question.status = status
            question.limit = limit
            change(&question)
            var subjects: [String] = []
            repeat {
                let page = try await bench.service.page(question, at: now + after)
                subjects += page.certificates.map { $0.subject }
                question.after = page.next
            } while question.after != nil
            all.append(subjects)
        }
        #expect(all.allSatisfy { $0 == all[0] }, "\(all)")
        return all[0]
    }

    private func fleet() async throws {
        let clock = Self.finding("problem", "clock_not_trustworthy")
        try await bench.report(
            10,
            [
                bench.assessed("a", daysLeft: 100), bench.assessed("b", daysLeft: 90, findings: [Self.finding("problem")]),
                bench.assessed("c", daysLeft: 80, findings: [Self.finding("critical"), Self.finding("problem", "weak_curve")]),
                bench.assessed("d", daysLeft: 70, findings: [clock]), bench.assessed("e", daysLeft: 60, findings: [Self.finding("note")]),
                bench.assessed("f", daysLeft: 50, findings: [Self.finding("critical"), clock]), bench.assessed("1", daysLeft: 40),
            ])
    }

    @Test func `the worst finding is the word, and a clock that is not to be trusted alone makes it unknown`() async throws {
        try await fleet()
        #expect(
            try await statuses() == [
                "CN=a": .ok, "CN=b": .problem, "CN=c": .critical, "CN=d": .unknown, "CN=e": .ok, "CN=f": .critical, "CN=1": .ok,
            ])
        #expect(try await asked(.critical) == ["CN=f", "CN=c"])
        #expect(try await asked(.problem) == ["CN=b"])
        #expect(try await asked(.unknown) == ["CN=d"])
        #expect(try await asked(.ok) == ["CN=1", "CN=e", "CN=a"])
        #expect(try await asked(.critical) { $0.finding = "weak_curve" } == ["CN=c"])
        #expect(try await asked(.critical) { $0.validity = .ok } == ["CN=f", "CN=c"])
        #expect(try await asked(.critical) { $0.validity = .expired } == [])
    }

    @Test func `an end comes without a report, and what has ended is critical once`() async throws {
        try await fleet()
        #expect(try await asked(.problem, 15 * Self.day) == ["CN=1", "CN=b"])
        #expect(try await asked(.problem, 41 * Self.day) == ["CN=e", "CN=d", "CN=b"])
        #expect(try await asked(.critical, 65 * Self.day) == ["CN=1", "CN=f", "CN=e", "CN=c"])
        #expect(try await asked(.critical, 365 * Self.day).count == 7)
        #expect(try await asked(.ok, 365 * Self.day).isEmpty)
    }

    @Test func `what only the fleet shows makes it critical, until it is over`() async throws {
        try await bench.report(10, [bench.assessed("a", key: "1", hasKey: true)])
        #expect(try await statuses() == ["CN=a": .ok])
        try await bench.report(10, [bench.assessed("b", key: "1", hasKey: true)], device: "edge-2")
        #expect(try await statuses() == ["CN=a": .critical, "CN=b": .critical])
        #expect(try await asked(.critical).sorted() == ["CN=a", "CN=b"])
        try await bench.report(20, [bench.assessed("c", key: "2", hasKey: true)], device: "edge-2")
        #expect(try await asked(.critical) == [])
        #expect(try await asked(.ok).sorted() == ["CN=a", "CN=c"])
    }

    @Test func `an agent that reports no findings is judged by its trust`() async throws {
        try await bench.report(10, [bench.certificate("a"), bench.certificate("b", trusted: false)])
        #expect(try await statuses() == ["CN=a": .ok, "CN=b": .critical])
        #expect(try await asked(.critical) == ["CN=b"])
    }
}
