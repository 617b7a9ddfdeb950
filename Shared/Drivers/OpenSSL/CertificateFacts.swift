/// What a certificate says, as plain values that outlive every C handle. Text is safe to show: control characters are escaped.
package struct CertificateFacts: Equatable, Sendable {
    /// The subject on one line, most specific part first, escaped as RFC 2253 has it but with UTF-8 letters left alone.
    package let subject: String
    package let issuer: String
    /// The last common name of the subject, if it has any.
    package let commonName: String?
    package let alternativeNames: [AlternativeName]
    /// Lower-case hexadecimal, `-` in front of a negative one.
    package let serial: String
    /// SHA-256 of the DER encoding, lower-case hexadecimal.
    package let fingerprint: String
    /// Milliseconds since 1970; nil when the field is malformed or outside the years 1950…9999.
    package let notBefore: Int64?
    package let notAfter: Int64?
    /// `RSA`, `EC P-256`, `Ed25519`, …; an unknown algorithm by its object identifier.
    package let keyAlgorithm: String
    /// The key's size in bits; 0 when libcrypto cannot read the key.
    package let keyBits: Int
    package let signatureAlgorithm: String
    /// Basic constraints say that this is a certificate authority.
    package let isAuthority: Bool
    /// Subject and issuer are the same name.
    package let isSelfIssued: Bool
    /// 1…3 for well-formed certificates.
    package let version: Int

    package init(
        subject: String, issuer: String, commonName: String?, alternativeNames: [AlternativeName], serial: String, fingerprint: String,
        notBefore: Int64?, notAfter: Int64?, keyAlgorithm: String, keyBits: Int, signatureAlgorithm: String,
        isAuthority: Bool, isSelfIssued: Bool, version: Int
    ) {
        self.subject = subject
        self.issuer = issuer
        self.commonName = commonName
        self.alternativeNames = alternativeNames
        self.serial = serial
        self.fingerprint = fingerprint
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.keyAlgorithm = keyAlgorithm
        self.keyBits = keyBits
        self.signatureAlgorithm = signatureAlgorithm
        self.isAuthority = isAuthority
        self.isSelfIssued = isSelfIssued
        self.version = version
    }
}

/// One subject alternative name.
package struct AlternativeName: Equatable, Sendable {
    package enum Kind: UInt8, Sendable { case dns, address, email, uri }

    package let kind: Kind
    package let text: String

    package init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }
}
