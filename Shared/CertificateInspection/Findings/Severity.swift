/// How much a finding matters. Scripts go by the names.
package enum Severity: UInt8, Sendable, Comparable, CaseIterable {
    /// Good to know; nothing is wrong by the rules of its profile.
    case note = 0
    /// To be put right, though it works today.
    case problem = 1
    /// It does not work, soon will not, or protects nothing.
    case critical = 2

    package static func < (a: Severity, b: Severity) -> Bool { a.rawValue < b.rawValue }

    package var name: String {
        switch self {
        case .note: "note"
        case .problem: "problem"
        case .critical: "critical"
        }
    }

    /// What one finding takes from a score of 100.
    var penalty: Int {
        switch self {
        case .note: 1
        case .problem: 15
        case .critical: 60
        }
    }
}

extension FindingCode {
    /// By the rules of a profile. RFC 5280's own is for comparisons alone and goes with the web's.
    package func severity(in profile: ValidationProfile) -> Severity {
        switch self {
        case .smallExponent, .notQuantumSafe: .note
        case .expiring, .clockNotTrustworthy, .weakCurve, .duplicateKey, .keyReadable, .servedDiffers, .weakProtocol, .weakCipher: .problem
        case .expired, .notYetValid, .incompleteChain, .expiredIssuer, .untrustedRoot, .badSignature, .searchLimit, .notAnAuthority,
            .issuerKeyUsage, .pathLengthExceeded, .nameConstraints, .policy, .revoked, .hostNameMismatch, .explicitCurve, .badExponent,
            .knownWeakKey, .keyMismatch, .malformedExtension, .duplicateExtension, .unknownCriticalExtension, .signatureAlgorithmMismatch:
            .critical
        // What a private authority may well mean to do.
        case .validityTooLong, .malformedName, .commonNameMismatch, .unusualAlgorithm, .authorityAsLeaf, .oldVersion, .serialNotPositive,
            .serialTooLong, .serialTooShort, .profileViolation, .misorderedChain, .revocationUnknown:
            profile == .device ? .note : .problem
        case .noAlternativeName: profile == .device ? .note : .critical
        case .selfSignedLeaf, .purpose, .wildcardMisuse, .weakKey, .weakSignature: profile == .device ? .problem : .critical
        }
    }
}
