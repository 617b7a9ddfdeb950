import LinuxDriver
import OpenSSLDriver

/// Judges certificates against this machine's trust. It holds the anchors: keep it for one scan and let it go.
package final class CertificateInspector {
    /// Sources of trust that could not be used.
    package let problems: [CertificateProblem]
    let context = KeylessContext()
    private let anchors: TrustAnchors
    /// Authorities that were met: the same few stand in file after file, and their keys and signatures are dear to look at.
    private var authorities: [ChainCertificate] = []
    private static let authoritiesMax = 16
    /// Issuers in the chains of what was inspected, each once, as many at most.
    private var issuers: [ChainCertificate] = []
    package static let issuersMax = 64
    /// Signatures that may still be verified for chains; when there are none left, what no chain was found for by then has `search_limit`.
    package var signaturesLeft = Int.max
    private let suffixes = PublicSuffixes()
    private var revocations: [RevocationList]
    /// Fetches what is at an address, nil where that is not possible. Without it, as it is, no revocation list is fetched.
    package var fetch: ((String) -> [UInt8]?)?
    /// Addresses that were asked, each once, as many at most.
    private var asked: [String] = []
    package static let fetchesMax = 64

    package init(trust: TrustSources) {
        anchors = TrustAnchors(in: context)
        var loader = TrustLoader(anchors: anchors, in: context)
        loader.load(trust.resolved())
        revocations = loader.loadLists(trust.revocationLists)
        problems = loader.problems
    }

    /// Trusts those too that vouch for themselves among certificates in PEM or DER.
    package func trustRoots(in bytes: [UInt8]) {
        var reader = CertificateReader(bytes, in: context)
        for _ in 0..<TrustLoader.anchorsMax {
            do throws(OpenSSLError) {
                guard let one = try reader.next() else { return }
                if one.isAuthority, one.facts().isSelfIssued { anchors.add(one) }
            } catch { continue }
        }
    }

    /// The record of a certificate, and the next instant at which judging it again could end differently.
    ///
    /// `now` is in milliseconds since 1970; nil for a machine that does not know the time, where no issuer's date counts.
    func inspect(_ certificate: Certificate, in place: CertificatePlace, at now: Int64?, since started: Int64) -> InspectedCertificate {
        do throws(DERError) {
            return inspect(try link(certificate), in: place, at: now, since: started)
        } catch {
            let findings = [Finding(.malformedExtension, in: place.profile)]
            let assessment = CertificateAssessment(profile: place.profile, findings: findings)
            let record = record(of: certificate, in: place, FindingCode.malformedExtension.words, assessment, since: started)
            return InspectedCertificate(record: record, changesAt: nil)
        }
    }

    func inspect(_ one: ChainCertificate, in place: CertificatePlace, at now: Int64?, since started: Int64) -> InspectedCertificate {
        var verdict = verdict(on: one, in: place, at: now)
        if fetchLists(of: verdict.chain) { verdict = self.verdict(on: one, in: place, at: now) }
        for issuer in verdict.chain.dropFirst() where issuers.count < Self.issuersMax && !issuers.contains(where: { $0.isSame(as: issuer) }) {
            issuers.append(issuer)
        }
        let trustError = verdict.faults.first.map { Self.text(of: $0, verdict, one.content.role) }
        let assessment = assessment(of: one, verdict, in: place, at: now)
        let record = record(of: one.certificate, in: place, trustError, assessment, since: started)
        return InspectedCertificate(record: record, changesAt: now.flatMap { Self.nextDate(after: $0, in: verdict.chain) })
    }

    /// Fetches the lists that the certificates of a chain name, if that was asked for. Whether there is another one now.
    private func fetchLists(of chain: [ChainCertificate]) -> Bool {
        guard let fetch else { return false }
        let count = revocations.count
        for address in chain.dropLast().flatMap({ $0.content.extensions.distributionPoints.map(DistributionPoints.addresses) ?? [] }) {
            guard asked.count < Self.fetchesMax, !asked.contains(address) else { continue }
            asked.append(address)
            guard let bytes = fetch(address) else { continue }
            for encoding in SignedRevocationList.encodings(in: bytes) { if let list = try? RevocationList(encoding) { revocations.append(list) } }
        }
        return revocations.count > count
    }

    /// What those say who issued what was inspected, wherever they lie.
    package func issuerRecords() -> [CertificateRecord] {
        issuers.map { one in
            let assessment = CertificateAssessment(role: one.content.role, keyId: Fingerprint.sha256(Array(one.content.key.whole)))
            return CertificateRecord(one.certificate.facts(), path: "", trustError: nil, validationTime: 0, assessment: assessment)
        }
    }

    private func record(
        of certificate: Certificate, in place: CertificatePlace, _ trustError: String?, _ assessment: CertificateAssessment, since started: Int64
    ) -> CertificateRecord {
        let facts = certificate.facts()
        let hasDates = facts.notBefore != nil && facts.notAfter != nil
        let seconds = Double(max(0, Clock.monotonicNanoseconds() - started)) / 1e9
        return CertificateRecord(
            facts, path: place.path, trustError: hasDates ? trustError : "malformed validity dates", validationTime: seconds, assessment: assessment)
    }

    /// The certificate as chains have it; an authority that was met before is the one that was met.
    func link(_ certificate: Certificate) throws(DERError) -> ChainCertificate {
        let encoding = certificate.encoding()
        if let known = authorities.first(where: { $0.content.der == encoding }) { return known }
        let one = try ChainCertificate(certificate, encoding)
        guard one.content.extensions.isAuthority else { return one }
        if authorities.count >= Self.authoritiesMax { authorities.removeFirst() }
        authorities.append(one)
        return one
    }

    /// The leaf of a chain as an endpoint serves it, measured with the host's name. Nil for an empty chain.
    package func inspect(
        served chain: [Certificate], host: String, endpoint: String, stapled: StapledStatus, profile: ValidationProfile, at now: Int64?
    ) -> InspectedCertificate? {
        let started = Clock.monotonicNanoseconds()
        guard let leaf = chain.first else { return nil }
        var links: [ChainCertificate] = []
        for one in chain.prefix(FileInspection.intermediatesMax) { if let link = try? ChainCertificate(one) { links.append(link) } }
        let place = CertificatePlace(
            path: endpoint, profile: profile, intermediates: Array(links.dropFirst()), isMisordered: FileInspection.isMisordered(links), host: host,
            stapled: stapled)
        return inspect(leaf, in: place, at: now, since: started)
    }

    private func verdict(on one: ChainCertificate, in place: CertificatePlace, at now: Int64?) -> ChainVerdict {
        // What lies on a device is checked by what its path needs; the profile's own rules are findings, which do not take trust away.
        var request = ValidationRequest(profile: .device, at: now)
        request.checksLeafDates = false
        request.suffixes = suffixes
        if let host = place.host {
            request.names = [ReferenceName(host: host)]
            request.purpose = .server
        }
        var builder = ChainBuilder(
            anchors: anchors, intermediates: place.intermediates, request: request, revocations: revocations,
            signaturesMax: min(signaturesLeft, ChainBuilder.signaturesMax))
        defer { signaturesLeft -= builder.signatures }
        return builder.verdict(on: one)
    }

    private func assessment(
        of one: ChainCertificate, _ verdict: ChainVerdict, in place: CertificatePlace, at now: Int64?
    ) -> CertificateAssessment {
        let role = one.content.role
        var findings = CertificateFindings.of(one, verdict: verdict, profile: place.profile, suffixes: suffixes)
        if place.isMisordered && role == .leaf { findings.append(Finding(.misorderedChain, in: place.profile)) }
        // A list that cannot be used takes no trust away on a device, but is told of.
        let check = RevocationCheck(lists: revocations, at: now)
        // And where no chain leads to an anchor, its issuer's list counts all the same.
        if verdict.chain.count > 1, let code = check.fault(of: one, issuer: verdict.chain[1]) {
            let isOld = code == .revoked && check.isRevokedOfOld(one, issuer: verdict.chain[1])
            let finding = Finding(code, in: place.profile, detail: isOld ? "by a list that is out of date" : "")
            if isOld { findings.removeAll { $0.code == code && $0.detail.isEmpty } }
            if !findings.contains(where: { $0.code == code }) { findings.append(finding) }
        }
        switch place.stapled {
        case .revoked: findings.append(Finding(.revoked, in: place.profile, detail: "stapled OCSP"))
        case .unusable: findings.append(Finding(.revocationUnknown, in: place.profile, detail: "stapled OCSP"))
        case .none, .good: break
        }
        return CertificateAssessment(
            profile: place.profile, role: role, findings: findings, keyId: Fingerprint.sha256(Array(one.content.key.whole)),
            chain: verdict.chain.dropFirst().map { $0.id })
    }

    /// The fault in words, and for one above the leaf whose certificate it is.
    private static func text(of fault: ChainFault, _ verdict: ChainVerdict, _ role: CertificateRole) -> String {
        guard fault.depth > 0, fault.depth < verdict.chain.count else { return CertificateFindings.code(of: fault, role).words }
        let subject = verdict.chain[fault.depth].certificate.subject()
        return fault.code.words + " (" + BoundedText.cut(subject, to: CertificateRecord.shortTextBytesMax / 2) + ")"
    }

    private static func nextDate(after now: Int64, in chain: [ChainCertificate]) -> Int64? {
        var next: Int64?
        for link in chain {
            for date in [link.content.notBefore.milliseconds, link.content.notAfter.milliseconds] {
                if let date, date > now, date < next ?? .max { next = date }
            }
        }
        return next
    }
}

/// A record and how long its verdict on trust can stand.
package struct InspectedCertificate: Sendable {
    package let record: CertificateRecord
    /// The first date of the chain that is still to come, milliseconds since 1970.
    package let changesAt: Int64?
}
