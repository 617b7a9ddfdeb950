import LinuxDriver
import OpenSSLDriver

/// Judges certificates against this machine's trust. It holds the anchors: keep it for one scan and let it go.
package final class CertificateInspector {
    /// Sources of trust that could not be used.
    package let problems: [CertificateProblem]
    private let anchors = TrustAnchors()
    private let suffixes = PublicSuffixes()
    private let revocations: [RevocationList]

    package init(trust: TrustSources) {
        var loader = TrustLoader(anchors: anchors)
        loader.load(trust.resolved())
        revocations = loader.loadLists(trust.revocationLists)
        problems = loader.problems
    }

    /// Trusts those too that vouch for themselves among certificates in PEM or DER.
    package func trustRoots(in bytes: [UInt8]) {
        var reader = CertificateReader(bytes)
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
        let facts = certificate.facts()
        var assessment = CertificateAssessment(profile: place.profile)
        var trustError: String?
        var changesAt: Int64?
        do throws(DERError) {
            let one = try ChainCertificate(certificate)
            let verdict = verdict(on: one, in: place, at: now)
            trustError = verdict.faults.first.map { Self.text(of: $0, verdict, one.content.role) }
            changesAt = now.flatMap { Self.nextDate(after: $0, in: verdict.chain) }
            assessment = self.assessment(of: one, verdict, in: place, at: now)
        } catch {
            trustError = FindingCode.malformedExtension.words
            assessment.findings = [Finding(.malformedExtension, in: place.profile)]
        }
        if facts.notBefore == nil || facts.notAfter == nil { trustError = "malformed validity dates" }
        let seconds = Double(max(0, Clock.monotonicNanoseconds() - started)) / 1e9
        let record = CertificateRecord(facts, path: place.path, trustError: trustError, validationTime: seconds, assessment: assessment)
        return InspectedCertificate(record: record, changesAt: changesAt)
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
        var builder = ChainBuilder(anchors: anchors, intermediates: place.intermediates, request: request, revocations: revocations)
        return builder.verdict(on: one)
    }

    private func assessment(
        of one: ChainCertificate, _ verdict: ChainVerdict, in place: CertificatePlace, at now: Int64?
    ) -> CertificateAssessment {
        let role = one.content.role
        var findings = CertificateFindings.of(one, verdict: verdict, profile: place.profile)
        if place.isMisordered && role == .leaf { findings.append(Finding(.misorderedChain, in: place.profile)) }
        // A list that cannot be used takes no trust away on a device, but is told of.
        if verdict.chain.count > 1, RevocationCheck(lists: revocations, at: now).fault(of: one, issuer: verdict.chain[1]) == .revocationUnknown {
            findings.append(Finding(.revocationUnknown, in: place.profile))
        }
        switch place.stapled {
        case .revoked: findings.append(Finding(.revoked, in: place.profile, detail: "stapled OCSP"))
        case .unusable: findings.append(Finding(.revocationUnknown, in: place.profile, detail: "stapled OCSP"))
        case .none, .good: break
        }
        return CertificateAssessment(
            profile: place.profile, role: role, findings: findings, keyId: Fingerprint.sha256(Array(one.content.key.whole)),
            chain: verdict.chain.dropFirst().map { Fingerprint.sha256($0.content.der) })
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
