/// The validation of one chain, leaf first and anchor last, whose signatures were verified: RFC 5280, section 6.1, and the rules of a profile.
struct ChainCheck {
    static let faultsMax = 32

    let path: [ChainCertificate]
    let request: ValidationRequest
    let revocations: [RevocationList]
    private var found: [ChainFault] = []

    init(path: [ChainCertificate], request: ValidationRequest, revocations: [RevocationList]) {
        self.path = path
        self.request = request
        self.revocations = revocations
    }

    func faults() -> [ChainFault] {
        var check = self
        check.run()
        return check.found
    }

    private mutating func report(_ code: FindingCode, _ depth: Int) {
        if found.count < Self.faultsMax { found.append(ChainFault(code: code, depth: depth)) }
    }

    private mutating func run() {
        for (depth, one) in path.enumerated() {
            checkDates(one, depth)
            checkExtensions(one.content.extensions, depth)
            let role: CertificateRole = depth == 0 ? .leaf : depth == path.count - 1 ? .anchor : .intermediate
            for code in CertificateRules(profile: request.profile).violations(of: one.content, as: role) { report(code, depth) }
            checkPurpose(one.content, depth)
        }
        checkIssuers()
        if let depth = NameConstraintCheck(allowsLeadingDot: request.profile == .device).fault(in: path) { report(.nameConstraints, depth) }
        if let depth = PolicyCheck.fault(in: path) { report(.policy, depth) }
        checkNames()
        if request.needsDigitalSignature, let usage = path[0].content.extensions.keyUsage, usage & 1 == 0 { report(.purpose, 0) }
        for depth in path.indices.dropLast() {
            let code = RevocationCheck(lists: revocations, at: request.at).fault(of: path[depth], issuer: path[depth + 1])
            // On a device a list that has grown old is told of, and does not cut it off.
            if let code, code == .revoked || request.profile != .device { report(code, depth) }
        }
    }

    private mutating func checkDates(_ one: ChainCertificate, _ depth: Int) {
        guard depth > 0 || request.checksLeafDates, let at = request.at, let code = one.dateFault(at: at) else { return }
        report(depth > 0 && code == .expired ? .expiredIssuer : code, depth)
    }

    private mutating func checkExtensions(_ extensions: CertificateExtensions, _ depth: Int) {
        if extensions.isMalformed { report(.malformedExtension, depth) }
        if extensions.hasDuplicates { report(.duplicateExtension, depth) }
        if extensions.hasUnknownCritical { report(.unknownCriticalExtension, depth) }
    }

    /// Purposes narrow what stands below them: browsers, Windows and OpenSSL agree on that, though RFC 5280 speaks of leaves alone.
    private mutating func checkPurpose(_ content: CertificateContent, _ depth: Int) {
        guard request.purpose != .any, let purposes = content.extensions.purposes, depth == 0 || depth < path.count - 1 else { return }
        let wanted = request.purpose == .server ? ObjectId.serverAuthentication : ObjectId.clientAuthentication
        let isAllowed = purposes.contains { $0.elementsEqual(wanted) || $0.elementsEqual(ObjectId.anyPurpose) }
        if !isAllowed { report(.purpose, depth) }
    }

    /// Whoever issued must have been allowed to, and to so many below.
    private mutating func checkIssuers() {
        var intermediates = 0
        for (depth, one) in path.enumerated().dropFirst() {
            let content = one.content
            let isAnchor = depth == path.count - 1
            // Anchors of version 1 have no extensions; that they are anchors says what they are for.
            let isOldAnchor = isAnchor && content.version < 3 && request.profile == .device
            if !content.extensions.isAuthority && !isOldAnchor { report(.notAnAuthority, depth) }
            if let usage = content.extensions.keyUsage, usage & 1 << 5 == 0 { report(.issuerKeyUsage, depth) }
            if let length = content.extensions.pathLength, intermediates > length { report(.pathLengthExceeded, depth) }
            if !isAnchor && !content.isSelfIssued { intermediates += 1 }
        }
        if intermediates > request.intermediatesMax { report(.pathLengthExceeded, path.count - 1) }
    }

    private mutating func checkNames() {
        guard let leaf = path.first else { return }
        for fault in Self.nameFaults(of: leaf, request) { report(fault.code, fault.depth) }
    }

    /// What is wrong with the leaf's names needs no chain.
    @inline(never)
    static func nameFaults(of leaf: ChainCertificate, _ request: ValidationRequest) -> [ChainFault] {
        var faults: [ChainFault] = []
        for name in request.names where !name.matches(leaf.content, suffixes: request.suffixes) {
            faults.append(ChainFault(code: leaf.content.extensions.alternativeNames == nil ? .noAlternativeName : .hostNameMismatch, depth: 0))
        }
        return faults
    }
}
