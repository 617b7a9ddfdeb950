import COpenSSL

/// What chain building found: trusted, or the first reason why not. The dates of the leaf itself have no part in it.
package struct TrustVerdict: Equatable, Sendable {
    package let isTrusted: Bool
    /// An `X509_V_ERR_…` number (X509_STORE_CTX_get_error(3)); 0 when trusted.
    package let code: Int32
    /// libcrypto's words for the code; empty when trusted.
    package let text: String
    /// Where in the chain the failure lies: 0 is the leaf.
    package let depth: Int
    /// The chain as far as it was built, leaf first.
    package let chain: [ChainLink]
}

/// One certificate of a chain.
package struct ChainLink: Equatable, Sendable {
    package let subject: String
    /// Milliseconds since 1970; nil when malformed.
    package let notBefore: Int64?
    package let notAfter: Int64?
}

extension ChainLink {
    /// The certificate is borrowed for the call.
    init(of certificate: OpaquePointer) {
        subject = DistinguishedName.line(X509_get_subject_name(certificate))
        notBefore = CertificateTime.milliseconds(X509_get0_notBefore(certificate))
        notAfter = CertificateTime.milliseconds(X509_get0_notAfter(certificate))
    }
}
