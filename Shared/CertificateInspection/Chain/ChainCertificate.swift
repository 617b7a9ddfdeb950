import OpenSSLDriver

/// A certificate in both its forms: what it says, and libcrypto's handle, by which signatures are verified.
package final class ChainCertificate {
    package let content: CertificateContent
    package let certificate: Certificate

    package init(_ certificate: Certificate) throws(DERError) {
        content = try CertificateContent(certificate.encoding())
        self.certificate = certificate
    }

    func isSame(as other: ChainCertificate) -> Bool { self === other || content.der == other.content.der }

    func isSigned(by issuer: ChainCertificate) -> Bool { certificate.isSigned(by: issuer.certificate) }

    /// Its dates, held against an instant; milliseconds since 1970.
    func dateFault(at now: Int64) -> FindingCode? {
        guard let first = content.notBefore.milliseconds, let last = content.notAfter.milliseconds else { return .malformedExtension }
        // Both ends belong to the period, to the second; what is below a second is cut off (RFC 5280, section 4.1.2.5).
        let second = now - ((now % 1000) + 1000) % 1000
        if second < first { return .notYetValid }
        return second > last ? .expired : nil
    }
}
