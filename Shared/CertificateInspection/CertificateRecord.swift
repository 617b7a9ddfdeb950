import LinuxDriver
import OpenSSLDriver

/// One certificate in one file: what it says and whether this machine trusts it. Plain values; what time makes of it is judged later.
package struct CertificateRecord: Equatable, Sendable {
    /// Limits in bytes of UTF-8; together with JSON's escapes a record stays below `jsonBytesMax`.
    package static let nameBytesMax = 1024
    package static let alternativeNamesBytesMax = 8 * 1024
    package static let pathBytesMax = 1024
    package static let shortTextBytesMax = 256
    /// What `json` can be at most. Only a path holds characters that JSON writes as six; the rest was escaped already, and doubles at worst.
    package static let jsonBytesMax = 40 * 1024

    /// SHA-256 of the DER encoding, lower-case hexadecimal.
    package var id: String
    package var path: String
    package var subject: String
    package var issuer: String
    package var commonName: String?
    /// The DNS, address, e-mail and URI names.
    package var names: [String]
    package var serial: String
    /// Milliseconds since 1970; nil when malformed.
    package var notBefore: Int64?
    package var notAfter: Int64?
    package var keyAlgorithm: String
    package var keyBits: Int
    package var signatureAlgorithm: String
    package var isAuthority: Bool
    package var isSelfIssued: Bool
    package var version: Int
    /// A chain leads to an anchor of this machine, the certificate's own dates aside.
    package var trusted: Bool
    /// Why not, in the words of a finding; nil when trusted.
    package var trustError: String?
    /// What reading and verifying took, seconds.
    package var validationTime: Double
    package var assessment: CertificateAssessment

    package init(
        _ facts: CertificateFacts, path: String, trustError: String?, validationTime: Double,
        assessment: CertificateAssessment = CertificateAssessment()
    ) {
        id = facts.fingerprint
        self.path = BoundedText.cut(FileName.shown(path), to: Self.pathBytesMax)
        subject = BoundedText.cut(facts.subject, to: Self.nameBytesMax)
        issuer = BoundedText.cut(facts.issuer, to: Self.nameBytesMax)
        commonName = facts.commonName.map { BoundedText.cut($0, to: Self.nameBytesMax) }
        names = BoundedText.cut(facts.alternativeNames.map { BoundedText.cut($0.text, to: Self.nameBytesMax) }, to: Self.alternativeNamesBytesMax)
        serial = BoundedText.cut(facts.serial, to: Self.shortTextBytesMax)
        notBefore = facts.notBefore
        notAfter = facts.notAfter
        keyAlgorithm = BoundedText.cut(facts.keyAlgorithm, to: Self.shortTextBytesMax)
        keyBits = facts.keyBits
        signatureAlgorithm = BoundedText.cut(facts.signatureAlgorithm, to: Self.shortTextBytesMax)
        isAuthority = facts.isAuthority
        isSelfIssued = facts.isSelfIssued
        version = facts.version
        trusted = trustError == nil
        self.trustError = trustError.map { BoundedText.cut($0, to: Self.shortTextBytesMax) }
        self.validationTime = validationTime
        self.assessment = assessment
    }
}
