import CertificateInspection
import OpenSSLDriver
import Testing

/// A record of a certificate with such dates.
func record(
    from notBefore: Int64? = 0, to notAfter: Int64? = 1_000_000_000, trustError: String? = nil, path: String = "/etc/x.pem",
    names: [String] = ["a.example"], assessment: CertificateAssessment = CertificateAssessment()
) -> CertificateRecord {
    let facts = CertificateFacts(
        subject: "CN=a", issuer: "CN=b", commonName: "a", alternativeNames: names.map { AlternativeName(kind: .dns, text: $0) }, serial: "01",
        fingerprint: "ab", notBefore: notBefore, notAfter: notAfter, keyAlgorithm: "EC P-256", keyBits: 256,
        signatureAlgorithm: "ecdsa-with-SHA256", isAuthority: false, isSelfIssued: false, version: 3)
    return CertificateRecord(facts, path: path, trustError: trustError, validationTime: 0.25, assessment: assessment)
}

@Suite struct CertificateStatusTests {
    static let day: Int64 = 86_400_000
    static let start: Int64 = 1_767_225_600_000
    static let end = start + 365 * day

    struct Case: Sendable {
        let now: Int64
        var trusted = true
        var knowsTime = true
        let status: CertificateStatus
    }

    @Test(arguments: [
        Case(now: start - 1, status: .notYetValid),
        Case(now: start, status: .ok),
        Case(now: end - 30 * day - 1, status: .ok),
        Case(now: end - 30 * day, status: .expiring),
        Case(now: end + 999, status: .expiring),
        Case(now: end + 1000, status: .expired),
        Case(now: start - 1, trusted: false, status: .notYetValid),
        Case(now: start, trusted: false, status: .untrusted),
        Case(now: end - 10 * day, trusted: false, status: .untrusted),
        Case(now: end + day, trusted: false, status: .expired),
        Case(now: 0, knowsTime: false, status: .unknown),
        Case(now: end + day, knowsTime: false, status: .unknown),
        Case(now: 0, trusted: false, knowsTime: false, status: .untrusted),
    ])
    func `the worst that is true is the status`(_ given: Case) {
        let record = record(from: Self.start, to: Self.end, trustError: given.trusted ? nil : "self-signed certificate")
        #expect(CertificateStatus.judge(record, at: given.now, clockIsTrustworthy: given.knowsTime) == given.status)
    }

    @Test func `malformed dates are never fine`() {
        #expect(CertificateStatus.judge(record(from: nil), at: 5, clockIsTrustworthy: true) == .untrusted)
        #expect(CertificateStatus.judge(record(to: nil), at: 5, clockIsTrustworthy: false) == .untrusted)
    }

    @Test func `statuses are ordered worst first and named`() {
        #expect(CertificateStatus.allCases.sorted().map(\.name) == ["expired", "not_yet_valid", "untrusted", "expiring", "unknown", "ok"])
    }

    @Test func `days left are rounded down`() {
        let record = record(to: 10 * Self.day)
        #expect(record.daysLeft(at: 0) == 10)
        #expect(record.daysLeft(at: 1) == 9)
        #expect(record.daysLeft(at: 10 * Self.day) == 0)
        #expect(record.daysLeft(at: 10 * Self.day + 1) == -1)
        #expect(record.daysLeft(at: 11 * Self.day) == -1)
        #expect(CertificateInspectionTests.record(to: nil).daysLeft(at: 0) == nil)
    }
}
