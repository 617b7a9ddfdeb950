/// Name constraints over a chain: RFC 5280, sections 4.2.1.10 and 6.1.
///
/// Every authority's constraints are held against every name below it, which comes to the same as to intersect them on the way down.
struct NameConstraintCheck {
    /// Comparisons of one chain. Names times constraints grow as a stranger likes; what is in use stays below a few thousand.
    static let comparisonsMax = 1 << 17

    /// `.example.com` for what lies below `example.com`: RFC 5280 knows it for URIs alone, private authorities write it for hosts.
    let allowsLeadingDot: Bool
    private var comparisons = 0

    init(allowsLeadingDot: Bool) { self.allowsLeadingDot = allowsLeadingDot }

    /// The depth of the first certificate whose names are not allowed, or whose own constraints cannot be followed; nil when all is well.
    func fault(in path: [ChainCertificate]) -> Int? {
        var check = self
        for (depth, one) in path.enumerated() {
            guard let constraints = one.content.extensions.nameConstraints else { continue }
            guard check.areWellFormed(constraints) else { return depth }
            guard depth > 0 else { continue }
            for below in 0..<depth {
                let content = path[below].content
                // Self-issued authorities are let through, so that they can roll their keys over.
                if below > 0 && content.isSelfIssued { continue }
                guard check.allows(content, constraints) else { return below }
            }
        }
        return nil
    }

    // MARK: Names of a certificate

    private mutating func allows(_ content: CertificateContent, _ constraints: NameConstraintsContent) -> Bool {
        if !content.subject.isEmpty, !allows(.directory(content.subject), constraints) { return false }
        let names = content.extensions.alternativeNames ?? []
        for name in names where !allows(name, constraints) { return false }
        // Where mailboxes stand in the subject alone, they are constrained there.
        if !names.contains(where: { $0.kind == 1 }) {
            for mail in content.subject.emails where !allows(.email(mail), constraints) { return false }
        }
        return true
    }

    private mutating func allows(_ name: GeneralName, _ constraints: NameConstraintsContent) -> Bool {
        var isConstrained = false
        var isPermitted = false
        for base in constraints.permitted where base.kind == name.kind && !isPermitted {
            isConstrained = true
            guard count() else { return false }
            isPermitted = matches(name, base, isExclusion: false) ?? false
        }
        if isConstrained && !isPermitted { return false }
        for base in constraints.excluded where base.kind == name.kind {
            guard count(), matches(name, base, isExclusion: true) == false else { return false }
        }
        return true
    }

    private mutating func count() -> Bool {
        comparisons += 1
        return comparisons <= Self.comparisonsMax
    }

    /// Nil for a name that cannot be compared: then it is neither permitted nor free of an exclusion.
    private func matches(_ name: GeneralName, _ base: GeneralName, isExclusion: Bool) -> Bool? {
        switch (name, base) {
        case (.dns(let name), .dns(let base)): Self.matches(dns: name, base, isExclusion: isExclusion)
        case (.email(let name), .email(let base)): Self.matches(mail: name, base)
        case (.uri(let name), .uri(let base)): Self.matches(uri: name, base)
        case (.address(let name), .address(let base)): Self.matches(address: name, base)
        case (.directory(let name), .directory(let base)): name.isWithin(base)
        default: nil
        }
    }

    // MARK: Kinds of names

    private static func matches(dns name: ArraySlice<UInt8>, _ base: ArraySlice<UInt8>, isExclusion: Bool) -> Bool? {
        guard DomainName.isWellFormed(name, allowsWildcard: true) else { return nil }
        let name = ASCII.lower(name)
        let base = ASCII.lower(base)
        if base.first == UInt8(ascii: ".") { return name.count > base.count && name.suffix(base.count).elementsEqual(base) }
        if DomainName.isWithin(name, base[...]) { return true }
        // A wildcard stands for the excluded name too, if that is right below what it is a wildcard of.
        guard isExclusion, name.starts(with: "*.".utf8), let dot = base.firstIndex(of: UInt8(ascii: ".")) else { return false }
        return base[(dot + 1)...].elementsEqual(name[2...])
    }

    private static func matches(mail name: ArraySlice<UInt8>, _ base: ArraySlice<UInt8>) -> Bool? {
        guard let mailbox = Mailbox.parts(name) else { return nil }
        if base.contains(UInt8(ascii: "@")) { return Mailbox.areSame(name, base) }
        return matches(host: mailbox.domain, base)
    }

    /// The host of `scheme://user@host:port/…`; addresses have no names to compare.
    private static func matches(uri name: ArraySlice<UInt8>, _ base: ArraySlice<UInt8>) -> Bool? {
        guard let colon = name.firstIndex(of: UInt8(ascii: ":")), name[(colon + 1)...].starts(with: "//".utf8) else { return nil }
        let authority = name[(colon + 3)...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let host = (authority.lastIndex(of: UInt8(ascii: "@")).map { authority[($0 + 1)...] } ?? authority).prefix { $0 != UInt8(ascii: ":") }
        guard DomainName.isWellFormed(host, allowsWildcard: false), NumericAddress.loose(host) == nil else { return nil }
        return matches(host: ASCII.lower(host), base)
    }

    /// A base that begins with a dot has the hosts below it, another one is a host.
    private static func matches(host: [UInt8], _ base: ArraySlice<UInt8>) -> Bool {
        let base = ASCII.lower(base)
        guard base.first == UInt8(ascii: ".") else { return base.isEmpty || host == base }
        return host.count > base.count && host.suffix(base.count).elementsEqual(base)
    }

    private static func matches(address name: ArraySlice<UInt8>, _ base: ArraySlice<UInt8>) -> Bool? {
        guard name.count == 4 || name.count == 16 else { return nil }
        guard base.count == 2 * name.count else { return false }
        let (network, mask) = (base.prefix(name.count), base.suffix(name.count))
        for (byte, (wanted, bits)) in zip(name, zip(network, mask)) where byte & bits != wanted & bits { return false }
        return true
    }

    // MARK: Constraints that cannot be followed

    private func areWellFormed(_ constraints: NameConstraintsContent) -> Bool {
        (constraints.permitted + constraints.excluded).allSatisfy { base in
            switch base {
            case .dns(let bytes):
                bytes.isEmpty || DomainName.isWellFormed(bytes, allowsWildcard: false)
                    || allowsLeadingDot && DomainName.isWellFormed(bytes.drop { $0 == UInt8(ascii: ".") }, allowsWildcard: false)
            case .address(let bytes): (bytes.count == 8 || bytes.count == 32) && Self.isMask(bytes.suffix(bytes.count / 2))
            case .email(let bytes): bytes.isEmpty || bytes.count { $0 == UInt8(ascii: "@") } <= 1
            case .directory, .uri: true
            // Others are followed where a name of their kind comes up, by refusing it.
            case .other: true
            }
        }
    }

    /// Ones and then zeros: RFC 4632.
    private static func isMask(_ bytes: ArraySlice<UInt8>) -> Bool {
        var isOver = false
        for byte in bytes {
            if isOver && byte != 0 { return false }
            if byte != 0xFF {
                guard (~byte &+ 1) & ~byte == 0 else { return false }
                isOver = true
            }
        }
        return true
    }
}
