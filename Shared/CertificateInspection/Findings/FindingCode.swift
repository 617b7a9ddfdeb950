/// What can be wrong with a certificate, a chain, or the files that hold them. The names are stable: documents, scripts and alerts go by them.
package enum FindingCode: UInt8, Sendable, CaseIterable {
    // Dates.
    case expired, notYetValid, expiring, clockNotTrustworthy, validityTooLong
    // The chain.
    case incompleteChain, misorderedChain, expiredIssuer, selfSignedLeaf, untrustedRoot, badSignature, searchLimit
    case notAnAuthority, issuerKeyUsage, pathLengthExceeded, nameConstraints, policy, purpose, revoked, revocationUnknown
    // Names.
    case hostNameMismatch, noAlternativeName, malformedName, wildcardMisuse, commonNameMismatch
    // Keys and signatures.
    case weakKey, weakCurve, explicitCurve, badExponent, smallExponent, knownWeakKey, weakSignature, unusualAlgorithm, notQuantumSafe
    case keyMismatch, keyReadable, duplicateKey, servedDiffers
    // How it is served.
    case weakProtocol, weakCipher
    // The certificate's form.
    case malformedExtension, duplicateExtension, unknownCriticalExtension, authorityAsLeaf, oldVersion
    case serialNotPositive, serialTooLong, serialTooShort, signatureAlgorithmMismatch, profileViolation

    /// The name by which reports call it.
    package var name: String {
        switch self {
        case .expired: "expired"
        case .notYetValid: "not_yet_valid"
        case .expiring: "expiring"
        case .clockNotTrustworthy: "clock_not_trustworthy"
        case .validityTooLong: "validity_too_long"
        case .incompleteChain: "incomplete_chain"
        case .misorderedChain: "misordered_chain"
        case .expiredIssuer: "expired_issuer"
        case .selfSignedLeaf: "self_signed"
        case .untrustedRoot: "untrusted_root"
        case .badSignature: "bad_signature"
        case .searchLimit: "search_limit"
        case .notAnAuthority: "issuer_not_authority"
        case .issuerKeyUsage: "issuer_key_usage"
        case .pathLengthExceeded: "path_length_exceeded"
        case .nameConstraints: "name_constraints"
        case .policy: "policy"
        case .purpose: "wrong_purpose"
        case .revoked: "revoked"
        case .revocationUnknown: "revocation_unknown"
        case .hostNameMismatch: "host_name_mismatch"
        case .noAlternativeName: "no_alternative_name"
        case .malformedName: "malformed_name"
        case .wildcardMisuse: "wildcard_misuse"
        case .commonNameMismatch: "common_name_mismatch"
        case .weakKey: "weak_key"
        case .weakCurve: "weak_curve"
        case .explicitCurve: "explicit_curve"
        case .badExponent: "bad_exponent"
        case .smallExponent: "small_exponent"
        case .knownWeakKey: "known_weak_key"
        case .weakSignature: "weak_signature"
        case .unusualAlgorithm: "unusual_algorithm"
        case .notQuantumSafe: "not_quantum_safe"
        case .keyMismatch: "key_mismatch"
        case .keyReadable: "key_readable"
        case .duplicateKey: "duplicate_key"
        case .servedDiffers: "served_differs"
        case .weakProtocol: "weak_protocol"
        case .weakCipher: "weak_cipher"
        case .malformedExtension: "malformed_extension"
        case .duplicateExtension: "duplicate_extension"
        case .unknownCriticalExtension: "unknown_critical_extension"
        case .authorityAsLeaf: "authority_as_leaf"
        case .oldVersion: "old_version"
        case .serialNotPositive: "serial_not_positive"
        case .serialTooLong: "serial_too_long"
        case .serialTooShort: "serial_too_short"
        case .signatureAlgorithmMismatch: "signature_algorithm_mismatch"
        case .profileViolation: "profile_violation"
        }
    }
}
