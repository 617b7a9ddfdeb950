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
        let ofIssuer = lists.filter { $0.content.issuer == child.content.issuer && covers($0.content, child.content) }
        guard !ofIssuer.isEmpty else { return nil }
        let usage = issuer.content.extensions.keyUsage
        // RFC 5280, section 6.3.3 (f): "verify that the cRLSign bit is set".
        let maySign = usage.map { $0 & 1 << 6 != 0 } ?? true
        let usable = ofIssuer.filter { maySign && !$0.content.isPartial && isCurrent($0.content) && $0.isSigned(by: issuer) }
        if usable.contains(where: { $0.content.lists(child.content.serial) }) { return .revoked }
        return usable.isEmpty ? .revocationUnknown : nil
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
}
