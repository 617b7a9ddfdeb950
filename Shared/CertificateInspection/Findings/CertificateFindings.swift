import OpenSSLDriver

/// The findings of one certificate that its own dates have no part in: those of its chain and those of itself.
enum CertificateFindings {
    static let countMax = 24

    static func of(_ one: ChainCertificate, verdict: ChainVerdict, profile: ValidationProfile, suffixes: PublicSuffixes) -> [Finding] {
        var findings: [Finding] = []
        let role = one.content.role
        for fault in verdict.faults {
            let isOther = fault.depth > 0 && fault.depth < verdict.chain.count
            findings.append(Finding(code(of: fault, role), in: profile, detail: isOther ? verdict.chain[fault.depth].certificate.subject() : ""))
        }
        for lint in CertificateLint.codes(of: one.content, as: role, suffixes: suffixes) {
            // Without any extended key usage a certificate serves every purpose; the web alone asks for it.
            let code = lint == .purpose && profile == .device ? FindingCode.profileViolation : lint
            if !findings.contains(where: { $0.code == code }) { findings.append(Finding(code, in: profile)) }
        }
        return Array(findings.prefix(countMax))
    }
}

extension CertificateFindings {
    /// A root that is no anchor here is that; it does not want for a chain.
    static func code(of fault: ChainFault, _ role: CertificateRole) -> FindingCode {
        fault.code == .selfSignedLeaf && role == .anchor ? .untrustedRoot : fault.code
    }
}

/// Marks leaves that share a key with another certificate.
package enum SharedKeys {
    package static func mark(_ records: inout [CertificateRecord]) {
        var owners: [String: Int] = [:]
        for index in records.indices where records[index].assessment.role == .leaf && !records[index].assessment.keyId.isEmpty {
            guard let first = owners[records[index].assessment.keyId] else {
                owners[records[index].assessment.keyId] = index
                continue
            }
            // The same certificate in two files is no second one.
            guard records[first].id != records[index].id else { continue }
            add(to: &records[index], records[first].path)
            add(to: &records[first], records[index].path)
        }
    }

    private static func add(to record: inout CertificateRecord, _ path: String) {
        guard !record.assessment.findings.contains(where: { $0.code == .duplicateKey }) else { return }
        record.assessment.findings.append(Finding(.duplicateKey, in: record.assessment.profile, path: path))
    }
}
