/// What the checking found out about a certificate beyond what it says: findings that hold until its file, its chain or the anchors change.
package struct CertificateAssessment: Equatable, Sendable {
    package var profile: ValidationProfile
    package var role: CertificateRole
    /// Without those of its own dates, which are judged when they are asked for.
    package var findings: [Finding]
    /// SHA-256 of the public key's encoding, lower-case hexadecimal: equal for certificates of one key. Empty when unknown.
    package var keyId: String
    /// The ids of its issuers, nearest first.
    package var chain: [String]

    /// Its private key lies in one of the files that were looked at.
    package var hasKey = false

    package init(
        profile: ValidationProfile = .device, role: CertificateRole = .leaf, findings: [Finding] = [], keyId: String = "", chain: [String] = []
    ) {
        self.profile = profile
        self.role = role
        self.findings = findings
        self.keyId = keyId
        self.chain = chain
    }
}

extension CertificateRole {
    /// The role as documents name it.
    package var name: String {
        switch self {
        case .leaf: "leaf"
        case .intermediate: "intermediate"
        case .anchor: "root"
        }
    }
}

extension CertificateRecord {
    /// All findings at an instant (milliseconds since 1970), the worst first.
    package func findings(at now: Int64, clockIsTrustworthy: Bool) -> [Finding] {
        var findings = assessment.findings
        if let date = dateFinding(at: now, clockIsTrustworthy: clockIsTrustworthy) { findings.append(date) }
        var sorted: [Finding] = []
        for severity in [Severity.critical, .problem, .note] { sorted += findings.filter { $0.severity == severity } }
        return sorted
    }

    private func dateFinding(at now: Int64, clockIsTrustworthy: Bool) -> Finding? {
        let profile = assessment.profile
        guard clockIsTrustworthy else { return Finding(.clockNotTrustworthy, in: profile) }
        guard let notBefore, let notAfter else { return Finding(.malformedExtension, in: profile) }
        let days = String(daysLeft(at: now) ?? 0)
        // RFC 5280, section 4.1.2.5: both ends belong to the period, to the second.
        if now >= notAfter + 1000 { return Finding(.expired, in: profile, detail: days + " days") }
        if now < notBefore { return Finding(.notYetValid, in: profile) }
        return notAfter - now <= CertificateStatus.expiringWithin ? Finding(.expiring, in: profile, detail: days + " days left") : nil
    }
}
