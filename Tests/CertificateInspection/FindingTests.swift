import CertificateFixtures
import CertificateInspection
import Testing

/// Each finding on a certificate that has it, and not on the one beside it that is as it should be.
@Suite final class FindingTests {
    typealias Oddity = CertificateWorkshop.Oddity

    static let now: Int64 = 1_795_000_000_000  // 2026-11-18
    static let names = "subjectAltName=DNS:leaf.example"
    static let identifiers = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]
    static let server = identifiers + ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth"]
    static let authority = identifiers + ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]

    let workshop: CertificateWorkshop

    init() throws {
        workshop = try CertificateWorkshop()
        var root = Oddity()
        root.extensions = Self.authority
        root.to = "20460101000000Z"
        try workshop.issue("root", by: nil, root)
    }

    func findings(_ name: String, _ profile: ValidationProfile = .webpki, at now: Int64 = now, trust: [String] = ["root.pem"]) throws -> [String] {
        try findings(in: try workshop.bytes(name), profile, at: now, trust: trust)
    }

    func findings(in bytes: [UInt8], _ profile: ValidationProfile = .webpki, at now: Int64 = now, trust: [String] = ["root.pem"]) throws -> [String] {
        let inspector = CertificateInspector(trust: TrustSources(usesSystemStore: false, files: trust.map { workshop.path($0) }))
        var inspection = FileInspection(path: "x", bytes: bytes, profile: profile)
        while true {
            switch inspection.next(with: inspector, at: now) {
            case .certificate(let found):
                return found.record.findings(at: now, clockIsTrustworthy: true).filter { $0.code != .notQuantumSafe }.map { $0.code.name }
            case .fault(let text): return [text]
            case .locked: return ["locked"]
            case .end: return []
            }
        }
    }

    func issue(_ name: String, by issuer: String? = "root", _ change: (inout Oddity) -> Void = { _ in }) throws {
        var one = Oddity()
        one.subject = "/O=Farwatch"
        one.extensions = Self.server + [Self.names]
        change(&one)
        try workshop.issue(name, by: issuer, one)
    }

    struct Row: Sendable {
        let code: String
        let change: @Sendable (inout Oddity) -> Void
    }

    static let rows: [Row] = [
        Row(code: "expired") { $0.to = "20261101000000Z" },
        Row(code: "not_yet_valid") { $0.from = "20261120000000Z" },
        Row(code: "expiring") { $0.to = "20261120000000Z" },
        Row(code: "validity_too_long") { $0.to = "20280101000000Z" },
        Row(code: "no_alternative_name") { $0.extensions = server },
        Row(code: "malformed_name") { $0.extensions = server + ["subjectAltName=DNS:-leaf.example"] },
        Row(code: "wildcard_misuse") { $0.extensions = server + ["subjectAltName=DNS:le*f.example"] },
        Row(code: "wildcard_misuse") { $0.extensions = server + ["subjectAltName=DNS:*"] },
        Row(code: "wildcard_misuse") { $0.extensions = server + ["subjectAltName=DNS:leaf.example,DNS:*.COM"] },
        Row(code: "wildcard_misuse") { $0.extensions = server + ["subjectAltName=DNS:*.co.uk"] },
        Row(code: "small_exponent") {
            $0.key = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"]
        },
        Row(code: "common_name_mismatch") { $0.subject = "/CN=LEAF.example" },
        Row(code: "weak_key") { $0.key = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"] },
        Row(code: "weak_curve") { $0.key = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"] },
        Row(code: "explicit_curve") {
            $0.key = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"]
        },
        Row(code: "weak_signature") { $0.digest = "sha1" },
        Row(code: "unusual_algorithm") { $0.key = ["-algorithm", "ED25519"] },
        Row(code: "malformed_extension") { $0.extensions = server + ["subjectAltName=DER:04:00"] },
        Row(code: "unknown_critical_extension") { $0.extensions = server + [names, "1.2.3.4=critical,DER:05:00"] },
        Row(code: "authority_as_leaf") { $0.extensions = authority + ["extendedKeyUsage=serverAuth", names] },
        Row(code: "old_version") { $0.extensions = nil },
        Row(code: "serial_not_positive") { $0.serial = "00" },
        Row(code: "serial_too_long") { $0.serial = "01" + String(repeating: "00", count: 20) },
        Row(code: "serial_too_short") { $0.serial = "0A" },
        Row(code: "profile_violation") { $0.extensions = server + ["subjectAltName=critical,DNS:leaf.example"] },
        Row(code: "wrong_purpose") { $0.extensions = server.filter { !$0.hasPrefix("extended") } + [names] },
    ]

    @Test(arguments: rows.indices)
    func `a certificate has the finding that was put into it, and one without it has none`(index: Int) throws {
        let row = Self.rows[index]
        try issue("good")
        try issue("bad", row.change)
        // Seconds before 30 days are left of the good one.
        #expect(try findings("good.pem", at: 1_793_000_000_000) == [])
        let found = try findings("bad.pem")
        #expect(found.contains(row.code), "\(found)")
    }

    @Test func `a wildcard below a domain that has an owner is in order, and an exponent of 65537 too`() throws {
        try issue("good") {
            $0.extensions = Self.server + ["subjectAltName=DNS:*.leaf.example,DNS:*.farwatch.co.uk,DNS:*.github.io"]
            $0.key = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        }
        #expect(try findings("good.pem", at: 1_793_000_000_000) == [])
    }

    @Test func `a device's profile makes notes of what a private authority may mean to do`() throws {
        try issue("long") {
            $0.extensions = Self.server
            $0.to = "20400101000000Z"
        }
        let inspector = CertificateInspector(trust: TrustSources(usesSystemStore: false, files: [workshop.path("root.pem")]))
        for profile in [ValidationProfile.device, .webpki] {
            var inspection = FileInspection(path: "x", bytes: try workshop.bytes("long.pem"), profile: profile)
            guard case .certificate(let found) = inspection.next(with: inspector, at: Self.now) else { return #expect(Bool(false), "a certificate") }
            let findings = found.record.findings(at: Self.now, clockIsTrustworthy: true)
            #expect(Set(findings.map(\.code)).isSuperset(of: [.noAlternativeName, .validityTooLong]))
            #expect(findings.allSatisfy { $0.severity == .note } == (profile == .device))
            #expect(SecurityScore.of(findings) == (profile == .device ? 97 : 24))
        }
    }

    @Test func `without a clock dates are unknown, not over`() throws {
        try issue("leaf") { $0.to = "20260201000000Z" }
        let inspector = CertificateInspector(trust: TrustSources(usesSystemStore: false, files: [workshop.path("root.pem")]))
        var inspection = FileInspection(path: "x", bytes: try workshop.bytes("leaf.pem"))
        guard case .certificate(let found) = inspection.next(with: inspector, at: nil) else { return #expect(Bool(false), "a certificate") }
        let findings = found.record.findings(at: 0, clockIsTrustworthy: false)
        #expect(findings.first?.code == .clockNotTrustworthy && findings.first?.severity == .problem)
        #expect(!findings.contains { $0.code == .expired })
    }

    @Test func `one finding more never raises a score, and a worse one neither`() {
        var random = Seeded(state: 7)
        for _ in 0..<500 {
            let findings = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                Finding(FindingCode.allCases.randomElement(using: &random)!, Severity.allCases.randomElement(using: &random)!, detail: "")
            }
            let score = SecurityScore.of(findings)
            #expect((0...100).contains(score))
            let code = FindingCode.allCases.randomElement(using: &random)!
            var last = score
            for severity in Severity.allCases {
                let next = SecurityScore.of(findings + [Finding(code, severity, detail: "")])
                #expect(next <= last)
                last = next
            }
        }
    }

    @Test func `every finding has a name of its own, a reason and an advice`() {
        #expect(Set(FindingCode.allCases.map(\.name)).count == FindingCode.allCases.count)
        for code in FindingCode.allCases {
            #expect(code.why.hasSuffix(".") && code.fix.hasSuffix("."))
            for profile in ValidationProfile.allCases { #expect(code.severity(in: .device) <= code.severity(in: profile)) }
        }
    }
}
