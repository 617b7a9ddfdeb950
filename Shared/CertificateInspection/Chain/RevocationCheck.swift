import OpenSSLDriver

/// A revocation list in both its forms.
package final class RevocationList {
    package let content: RevocationContent
    private let signed: SignedRevocationList

    package init(_ der: [UInt8]) throws(OpenSSLError) {
        signed = try SignedRevocationList(der)
        do throws(DERError) { content = try RevocationContent(der) } catch { throw OpenSSLError(malformed: "read revocation list") }
    }

    /// The key by which the signature was found to be good: a list is the same for all that its issuer certified.
    private var signer: ArraySlice<UInt8>?

    func isSigned(by issuer: ChainCertificate) -> Bool {
        if signer == issuer.content.key.whole { return true }
        guard issuer.hasSigned(signed) else { return false }
        signer = issuer.content.key.whole
        return true
    }
}

/// Whether lists that are at hand revoke a certificate. Where there is none of its issuer, nothing is said.
struct RevocationCheck {
    let lists: [RevocationList]
    /// Milliseconds since 1970; nil when the time is not known, and lists never grow old.
    let at: Int64?

    func fault(of child: ChainCertificate, issuer: ChainCertificate) -> FindingCode? {
        let ofIssuer = lists(on: child)
        guard !ofIssuer.isEmpty else { return nil }
        let usable = ofIssuer.filter { isCurrent($0.content) && isProof($0, by: issuer) }
        if usable.contains(where: { $0.content.lists(child.content.serial) }) { return .revoked }
        guard usable.isEmpty else { return nil }
        return isRevokedOfOld(child, issuer: issuer) ? .revoked : .revocationUnknown
    }

    /// A list that is out of date has it, and none that is current is there to say otherwise: who was revoked then is not taken back by time.
    func isRevokedOfOld(_ child: ChainCertificate, issuer: ChainCertificate) -> Bool {
        let ofIssuer = lists(on: child)
        return !ofIssuer.contains { isCurrent($0.content) && isProof($0, by: issuer) }
            && ofIssuer.contains { isOver($0.content) && $0.content.lists(child.content.serial) && isProof($0, by: issuer) }
    }

    private func lists(on child: ChainCertificate) -> [RevocationList] {
        lists.filter { $0.content.issuer == child.content.issuer && covers($0.content, child.content) }
    }

    private func isProof(_ list: RevocationList, by issuer: ChainCertificate) -> Bool {
        // RFC 5280, section 6.3.3 (f): "verify that the cRLSign bit is set".
        let maySign = issuer.content.extensions.keyUsage.map { $0 & 1 << 6 != 0 } ?? true
        return maySign && !list.content.isPartial && list.isSigned(by: issuer)
    }

    private func covers(_ list: RevocationContent, _ child: CertificateContent) -> Bool {
        child.extensions.isAuthority ? list.coversAuthorities : list.coversUsers
    }

    private func isCurrent(_ list: RevocationContent) -> Bool {
        guard let at else { return true }
        guard let from = list.thisUpdate.milliseconds, from <= at else { return false }
        guard let next = list.nextUpdate else { return true }
        return next.milliseconds.map { at <= $0 } ?? false
    }

    private func isOver(_ list: RevocationContent) -> Bool {
        guard let at, let next = list.nextUpdate?.milliseconds else { return false }
        return next < at
    }
}
