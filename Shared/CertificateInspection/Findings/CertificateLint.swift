/// What is to be said about a certificate by itself: everything but its chain, its dates today, and the files around it.
enum CertificateLint {
    private static let dayMilliseconds: Int64 = 86_400_000
    /// 64 bits, which BR 7.1 asks to come from a random source, and the sign.
    private static let serialBytesMin = 8
    /// Wildcards of one certificate that are looked up: each goes over the list of public suffixes.
    private static let wildcardsMax = 16

    /// How long a server's certificate may be valid, by the day it begins (BR 6.3.2, its newest row first), in days.
    private static let lifetimes: [(from: Int64, days: Int64)] = [
        (1_868_227_200_000, 47), (1_805_068_800_000, 100), (1_773_532_800_000, 200), (1_598_918_400_000, 398), (1_519_862_400_000, 825),
        (1_427_846_400_000, 1187), (1_341_100_800_000, 1826),
    ]

    static func codes(of content: CertificateContent, as role: CertificateRole, suffixes: PublicSuffixes) -> [FindingCode] {
        var codes = CertificateRules(profile: .webpki).violations(of: content, as: role)
        if content.extensions.isMalformed { codes.append(.malformedExtension) }
        if content.extensions.hasDuplicates { codes.append(.duplicateExtension) }
        if content.extensions.hasUnknownCritical { codes.append(.unknownCriticalExtension) }
        if KeyWeakness.isOfWeakGenerator(content.key) || KeyWeakness.hasSmallFactor(content.key) || KeyWeakness.hasCloseFactors(content.key) {
            codes.append(.knownWeakKey)
        }
        if content.key.kind != .quantumSafe { codes.append(.notQuantumSafe) }
        // BR 6.1.6: it should be 2^16+1 at least, which is the first of three bytes.
        if !content.key.exponent.isEmpty, content.key.exponent.count < 3, KeyWeakness.hasGoodExponent(content.key) { codes.append(.smallExponent) }
        if role == .leaf { addLeaf(content, &codes, suffixes) }
        return codes.reduce(into: []) { found, code in if !found.contains(code) { found.append(code) } }
    }

    private static func addLeaf(_ content: CertificateContent, _ codes: inout [FindingCode], _ suffixes: PublicSuffixes) {
        if content.extensions.alternativeNames == nil { codes.append(.noAlternativeName) }
        if content.serial.count < serialBytesMin && SerialNumber.isPositive(content.serial) { codes.append(.serialTooShort) }
        if let from = content.notBefore.milliseconds, let to = content.notAfter.milliseconds,
            let limit = lifetimes.first(where: { from >= $0.from }), to - from + 1000 > limit.days * dayMilliseconds
        {
            codes.append(.validityTooLong)
        }
        if hasStrangersWildcard(content, suffixes) { codes.append(.wildcardMisuse) }
    }

    /// BR 3.2.2.6: no wildcard right below a name that a registry lets anyone register under.
    private static func hasStrangersWildcard(_ content: CertificateContent, _ suffixes: PublicSuffixes) -> Bool {
        var wildcards = 0
        for case .dns(let name) in content.extensions.alternativeNames ?? [] where name.first == UInt8(ascii: "*") && wildcards < wildcardsMax {
            wildcards += 1
            if name.count == 1 || name.starts(with: "*.".utf8) && suffixes.contains(ASCII.lower(name)[2...], ofRegistriesOnly: true) { return true }
        }
        return false
    }
}

extension CertificateContent {
    /// What a certificate is by its own word. An authority that has names of hosts or the purpose of a server is meant to be a leaf.
    package var role: CertificateRole {
        guard mayIssue else { return .leaf }
        if isMeantAsLeaf { return .leaf }
        return isSelfIssued ? .anchor : .intermediate
    }

    private var isMeantAsLeaf: Bool {
        (extensions.alternativeNames ?? []).contains { name in
            switch name {
            case .dns, .address: true
            default: false
            }
        }
    }
}
