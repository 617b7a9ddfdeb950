import OpenSSLDriver

/// A certificate in both its forms: what it says, and libcrypto's handle, by which signatures are verified.
package final class ChainCertificate {
    package let content: CertificateContent
    package let certificate: Certificate
    /// SHA-256 of the encoding, lower-case hexadecimal.
    private(set) lazy var id = Fingerprint.sha256(content.der)
    /// Nil for one that libcrypto does not know.
    private lazy var key = PublicKey(content.key.whole)
    /// The public key by which the signature was found to be good.
    private var signer: ArraySlice<UInt8>?

    package convenience init(_ certificate: Certificate) throws(DERError) { try self.init(certificate, certificate.encoding()) }

    /// The encoding is the certificate's own.
    init(_ certificate: Certificate, _ encoding: [UInt8]) throws(DERError) {
        content = try CertificateContent(encoding)
        self.certificate = certificate
    }

    func isSame(as other: ChainCertificate) -> Bool { self === other || content.der == other.content.der }

    /// A signature is verified once by a key, however many chains it stands in.
    func isSigned(by issuer: ChainCertificate) -> Bool {
        if signer == issuer.content.key.whole { return true }
        guard issuer.key?.hasSigned(certificate) == true else { return false }
        signer = issuer.content.key.whole
        return true
    }

    func hasSigned(_ list: SignedRevocationList) -> Bool { key?.hasSigned(list) == true }

    /// Its dates, held against an instant; milliseconds since 1970.
    func dateFault(at now: Int64) -> FindingCode? {
        guard let first = content.notBefore.milliseconds, let last = content.notAfter.milliseconds else { return .malformedExtension }
        // Both ends belong to the period, to the second; what is below a second is cut off (RFC 5280, section 4.1.2.5).
        let second = now - ((now % 1000) + 1000) % 1000
        if second < first { return .notYetValid }
        return second > last ? .expired : nil
    }
}
