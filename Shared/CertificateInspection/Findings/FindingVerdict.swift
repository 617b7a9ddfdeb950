/// How a certificate stands by its findings, in one word.
package enum FindingVerdict {
    /// `ok`, `problem`, `critical`; `unknown` where nothing but the clock is wrong, since nobody knows then. The findings are the worst first.
    package static func word(for findings: [Finding]) -> String {
        let worst = findings.first { $0.code != .clockNotTrustworthy }?.severity ?? .note
        guard worst == .note, findings.first?.code == .clockNotTrustworthy else { return word(for: findings.first?.severity ?? .note) }
        return CertificateStatus.unknown.name
    }

    package static func word(for severity: Severity) -> String { severity == .note ? CertificateStatus.ok.name : severity.name }
}
