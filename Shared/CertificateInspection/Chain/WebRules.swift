/// What the CA/Browser Forum's baseline requirements ask beyond RFC 5280.
enum WebRules {
    static func add(_ content: CertificateContent, _ role: CertificateRole, to codes: inout [FindingCode]) {
        addKey(content.key, to: &codes)
        if role != .anchor && content.signature != .webPKI {
            codes.append(content.signature == .sha1 || content.signature == .broken ? .weakSignature : .unusualAlgorithm)
        }
        let extensions = content.extensions
        switch role {
        case .anchor:
            // BR 7.1.2.1.2: a root certificate must have no extKeyUsage.
            if extensions.has(.extendedKeyUsage) { codes.append(.profileViolation) }
        case .intermediate: break
        case .leaf: addLeaf(content, to: &codes)
        }
    }

    /// BR 6.1.5 and 6.1.6.
    private static func addKey(_ key: PublicKeyContent, to codes: inout [FindingCode]) {
        switch key.kind {
        case .rsa(let bits):
            if bits < CertificateRules.rsaBitsMin || bits % 8 != 0 { codes.append(.weakKey) }
            if !KeyWeakness.hasGoodExponent(key) { codes.append(.badExponent) }
        case .p256, .p384, .p521: break
        case .otherCurve: codes.append(.weakCurve)
        case .explicitCurve: break
        case .edwards, .quantumSafe, .other: codes.append(.unusualAlgorithm)
        }
    }

    private static func addLeaf(_ content: CertificateContent, to codes: inout [FindingCode]) {
        let extensions = content.extensions
        if extensions.isAuthority { codes.append(.authorityAsLeaf) }
        if let purposes = extensions.purposes {
            // BR 7.1.2.7.10: anyExtendedKeyUsage must not be there; and the extension must not be critical.
            if purposes.contains(where: { $0.elementsEqual(ObjectId.anyPurpose) }) { codes.append(.purpose) }
            if extensions.isCritical(.extendedKeyUsage) { codes.append(.profileViolation) }
        } else {
            codes.append(.purpose)
        }
        for name in extensions.alternativeNames ?? [] {
            guard let code = nameFault(name) else { continue }
            codes.append(code)
            break
        }
        if !CommonNameCheck.fits(content) { codes.append(.commonNameMismatch) }
    }

    private static func nameFault(_ name: GeneralName) -> FindingCode? {
        switch name {
        case .dns(let bytes):
            if DomainName.isWellFormed(bytes, allowsWildcard: true) { return nil }
            return bytes.contains(UInt8(ascii: "*")) ? .wildcardMisuse : .malformedName
        case .address(let bytes): return bytes.count == 4 || bytes.count == 16 ? nil : .malformedName
        default: return nil
        }
    }
}

/// BR 7.1.4.3: a common name repeats one of the alternative names, letter by letter.
///
/// A common name that is nothing like a name of a host is let pass: it misleads nobody. One that says the same as an alternative
/// name in another spelling is not, since programs differ in how they read it.
enum CommonNameCheck {
    static func fits(_ content: CertificateContent) -> Bool {
        let names = content.extensions.alternativeNames ?? []
        for common in content.subject.commonNames {
            let isRepeated = names.contains { name in
                switch name {
                case .dns(let bytes): bytes.elementsEqual(common)
                case .address(let bytes): NumericAddress.text(bytes).elementsEqual(common)
                default: false
                }
            }
            if !isRepeated && isMisleading(common, among: names) { return false }
        }
        return true
    }

    private static func isMisleading(_ common: ArraySlice<UInt8>, among names: [GeneralName]) -> Bool {
        if common.contains(where: { $0 >= 0x80 }) || DomainName.labels(ASCII.lower(common)[...]).contains(where: { $0.starts(with: "xn--".utf8) }) {
            return true
        }
        let folded = ASCII.lower(common)
        let address = NumericAddress.loose(common)
        return names.contains { name in
            switch name {
            case .dns(let bytes): ASCII.lower(bytes) == folded
            case .address(let bytes): address.map { bytes.elementsEqual($0) } ?? false
            default: false
            }
        }
    }
}
