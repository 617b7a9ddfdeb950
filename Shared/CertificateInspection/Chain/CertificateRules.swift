/// Where in a chain a certificate stands.
package enum CertificateRole: UInt8, Sendable { case leaf, intermediate, anchor }

/// What a profile asks of a single certificate beyond what makes a path valid. Numbers of sections are of RFC 5280, or, with BR, of the
/// CA/Browser Forum's baseline requirements for TLS servers, version 2.
struct CertificateRules {
    /// 4.1.2.2: "Conforming CAs MUST NOT use serialNumber values longer than 20 octets".
    static let serialBytesMax = 20
    /// BR 6.1.5.
    static let rsaBitsMin = 2048

    let profile: ValidationProfile

    func violations(of content: CertificateContent, as role: CertificateRole) -> [FindingCode] {
        var codes: [FindingCode] = []
        if !content.hasOneSignatureAlgorithm { codes.append(.signatureAlgorithmMismatch) }
        // What a leaf signs in spite of itself would pass for another's (4.2.1.9).
        let extensions = content.extensions
        if !extensions.isAuthority, let usage = extensions.keyUsage, usage & 1 << 5 != 0, profile != .device { codes.append(.profileViolation) }
        // A curve that is spelled out can be made to fit any public key.
        if content.key.kind == .explicitCurve { codes.append(.explicitCurve) }
        // A signature over a broken digest proves nothing; an anchor's own is not what makes it one.
        if role != .anchor && content.signature == .broken { codes.append(.weakSignature) }
        guard profile != .device else { return codes }
        addForm(of: content, as: role, to: &codes)
        if !followsIdentifiers(content, role) || !followsConstraints(content, role) || !followsCriticality(content, role) {
            codes.append(.profileViolation)
        }
        if profile == .webpki { WebRules.add(content, role, to: &codes) }
        return codes
    }

    private func addForm(of content: CertificateContent, as role: CertificateRole, to codes: inout [FindingCode]) {
        if content.version < 3 { codes.append(.oldVersion) }
        if content.serial.count > Self.serialBytesMax { codes.append(.serialTooLong) }
        // Anchors are trusted for their keys; some old ones have the serial number 0.
        if role != .anchor && !SerialNumber.isPositive(content.serial) { codes.append(.serialNotPositive) }
        if content.issuer.isEmpty { codes.append(.malformedName) }
        if content.extensions.isAuthority && content.subject.isEmpty { codes.append(.malformedName) }
        if content.notBefore.isInWrongForm || content.notAfter.isInWrongForm { codes.append(.profileViolation) }
        if (try? DERReader.checkInteger(content.serial)) == nil { codes.append(.profileViolation) }
    }

    /// 4.2.1.1 and 4.2.1.2: without key identifiers, paths are guessed.
    private func followsIdentifiers(_ content: CertificateContent, _ role: CertificateRole) -> Bool {
        let extensions = content.extensions
        if extensions.isAuthority && (extensions.subjectKeyId?.isEmpty ?? true) { return false }
        if extensions.isCritical(.subjectKeyId) || extensions.isCritical(.authorityKeyId) { return false }
        return content.isSelfIssued && role == .anchor || extensions.authorityKeyId != nil
    }

    /// 4.2.1.9 and 4.2.1.10: constraints are for authorities.
    private func followsConstraints(_ content: CertificateContent, _ role: CertificateRole) -> Bool {
        let extensions = content.extensions
        if extensions.isAuthority {
            if !extensions.isCritical(.basicConstraints) { return false }
            // 4.2.1.3 asks every authority for it; an anchor of old may lack it.
            return extensions.keyUsage != nil || role == .anchor
        }
        return !extensions.has(.nameConstraints) && extensions.pathLength == nil
    }

    private func followsCriticality(_ content: CertificateContent, _ role: CertificateRole) -> Bool {
        let extensions = content.extensions
        // 4.2.1.6: names must be critical where there is no subject; BR 7.1.2.7.12: and must not where there is one.
        if extensions.has(.subjectAlternativeName) && role == .leaf {
            let isCritical = extensions.isCritical(.subjectAlternativeName)
            if content.subject.isEmpty != isCritical && (content.subject.isEmpty || profile == .webpki) { return false }
        }
        if extensions.hasCriticalInformation { return false }
        if extensions.has(.policyConstraints) && !extensions.isCritical(.policyConstraints) { return false }
        if extensions.has(.inhibitAnyPolicy) && !extensions.isCritical(.inhibitAnyPolicy) { return false }
        // BR 7.1.2.5.2 lets name constraints be not critical, as an explicit exception from RFC 5280.
        return profile == .webpki || !extensions.has(.nameConstraints) || extensions.isCritical(.nameConstraints)
    }
}

/// Serial numbers as encoded, in two's complement.
enum SerialNumber {
    static func isPositive(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first else { return false }
        return first & 0x80 == 0 && bytes.contains { $0 != 0 }
    }
}
