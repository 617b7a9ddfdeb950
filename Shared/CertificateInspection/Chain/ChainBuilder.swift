import OpenSSLDriver

/// Looks for a valid chain from a leaf to an anchor, and goes back and tries another way where one leads nowhere (RFC 4158).
///
/// What a stranger hands over decides how many ways there are, so that each kind of work has its bound.
package struct ChainBuilder {
    /// Issuers between leaf and anchor; public chains have one or two.
    package static let intermediatesMax = 10
    /// Certificates that may be in the way.
    package static let candidatesMax = 256
    package static let signaturesMax = 256
    package static let pathsMax = 64
    package static let stepsMax = 4096

    private let anchors: TrustAnchors
    private let candidates: [ChainCertificate]
    private let request: ValidationRequest
    private let revocations: [RevocationList]
    private let signaturesLimit: Int
    /// Those that were verified.
    package private(set) var signatures = 0
    private var paths = 0
    private var steps = 0
    /// Pairs whose signature was verified already.
    private var verified: [(child: ObjectIdentifier, issuer: ObjectIdentifier, isGood: Bool)] = []
    /// Of the chains that reached an anchor, the one with the fewest faults.
    private var best: ChainVerdict?
    /// Of those that did not, the longest.
    private var longest: [ChainCertificate] = []
    private var sawBadSignature = false

    package init(
        anchors: TrustAnchors, intermediates: [ChainCertificate], request: ValidationRequest, revocations: [RevocationList] = [],
        signaturesMax: Int = ChainBuilder.signaturesMax
    ) {
        signaturesLimit = min(signaturesMax, Self.signaturesMax)
        self.anchors = anchors
        candidates = Array(intermediates.prefix(Self.candidatesMax))
        self.request = request
        self.revocations = revocations
    }

    package mutating func verdict(on leaf: ChainCertificate) -> ChainVerdict {
        var path = [leaf]
        if anchors.contains(leaf), judge(path), let best { return best }
        _ = extend(&path)
        guard var best else { return unreachable(longest.isEmpty ? [leaf] : longest) }
        // A better one may be where the search did not come.
        if !best.faults.isEmpty, isOver { best = ChainVerdict(faults: best.faults + [ChainFault(code: .searchLimit, depth: 0)], chain: best.chain) }
        return best
    }

    // MARK: The search

    /// True when the search is over: a valid chain was found, or a bound reached.
    private mutating func extend(_ path: inout [ChainCertificate]) -> Bool {
        guard let last = path.last else { return true }
        if path.count > longest.count { longest = path }
        let roots = ranked(anchors.named(last.content.issuer, for: last.certificate), for: last)
        for root in roots where !path.contains(where: { $0.isSame(as: root) }) {
            guard step() else { return true }
            guard isSigned(last, by: root) else { continue }
            if judge(path + [root]) { return true }
        }
        guard path.count <= Self.intermediatesMax + 1 else { return false }
        for issuer in ranked(candidates.filter { last.content.names($0.content) }, for: last)
        where !path.contains(where: { $0.isSame(as: issuer) }) {
            guard step() else { return true }
            guard isSigned(last, by: issuer) else { continue }
            path.append(issuer)
            if extend(&path) { return true }
            path.removeLast()
        }
        return false
    }

    private mutating func step() -> Bool {
        steps += 1
        return !isOver
    }

    private var isOver: Bool { steps > Self.stepsMax || signatures >= signaturesLimit || paths >= Self.pathsMax }

    /// Those first whose key identifier fits, then those that are valid now, then those that end last.
    private func ranked(_ issuers: [ChainCertificate], for child: ChainCertificate) -> [ChainCertificate] {
        guard issuers.count > 1 else { return issuers }
        var ranks: [(rank: Int64, issuer: ChainCertificate)] = []
        for issuer in issuers {
            // Dates lie within 1950…9999, which is 2^48 milliseconds and above them room for two flags.
            var rank = max(0, issuer.content.notAfter.milliseconds ?? 0)
            if child.content.fitsKey(of: issuer.content) { rank += 1 << 52 }
            if let at = request.at, issuer.dateFault(at: at) == nil { rank += 1 << 51 }
            let place = ranks.firstIndex { $0.rank < rank } ?? ranks.count
            ranks.insert((rank, issuer), at: place)
        }
        return ranks.map { $0.issuer }
    }

    private mutating func isSigned(_ child: ChainCertificate, by issuer: ChainCertificate) -> Bool {
        let (a, b) = (ObjectIdentifier(child), ObjectIdentifier(issuer))
        if let known = verified.first(where: { $0.child == a && $0.issuer == b }) { return known.isGood }
        signatures += 1
        let isGood = child.isSigned(by: issuer)
        verified.append((a, b, isGood))
        // Another key of the same name is no forgery.
        if !isGood && child.content.fitsKey(of: issuer.content) { sawBadSignature = true }
        return isGood
    }

    // MARK: Verdicts

    private mutating func judge(_ path: [ChainCertificate]) -> Bool {
        paths += 1
        let faults = ChainCheck(path: path, request: request, revocations: revocations).faults()
        if best == nil || faults.count < best?.faults.count ?? 0 { best = ChainVerdict(faults: faults, chain: path) }
        return faults.isEmpty
    }

    private func unreachable(_ path: [ChainCertificate]) -> ChainVerdict {
        var depth = path.count - 1
        var code = FindingCode.incompleteChain
        if let other = path.indices.dropFirst().first(where: { !path[$0].content.mayIssue }) {
            (code, depth) = (.notAnAuthority, other)
        } else if let last = path.last, last.content.isSelfIssued, last.isSigned(by: last) {
            code = depth == 0 ? .selfSignedLeaf : .untrustedRoot
        } else if isOver {
            code = .searchLimit
        } else if sawBadSignature {
            code = .badSignature
        }
        let names = path.first.map { ChainCheck.nameFaults(of: $0, request) } ?? []
        return ChainVerdict(faults: [ChainFault(code: code, depth: depth)] + names, chain: path)
    }
}
