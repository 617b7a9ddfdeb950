/// A certificate as RFC 5280 has it, read by our own parser: what the checking of chains goes by.
///
/// What is not DER or has not the structure of a certificate is refused as a whole. An extension that cannot be read is noted, and
/// the certificate can then still be told of, but not be trusted.
package struct CertificateContent: Sendable {
    /// The whole encoding.
    package let der: [UInt8]
    /// 1…3.
    package let version: Int
    /// The two's complement of the serial number, as encoded.
    package let serial: ArraySlice<UInt8>
    package let signature: SignatureStrength
    /// Whether the algorithm within what is signed is the one that it is signed with: RFC 5280, section 4.1.1.2.
    package let hasOneSignatureAlgorithm: Bool
    package let issuer: NameContent
    package let subject: NameContent
    package let notBefore: CertificateDate
    package let notAfter: CertificateDate
    package let key: PublicKeyContent
    package let extensions: CertificateExtensions

    /// Subject and issuer are the same name.
    package var isSelfIssued: Bool { subject == issuer }

    package init(_ der: [UInt8]) throws(DERError) {
        self.der = der
        var outer = DERReader(der[...])
        var reader = try outer.inside(DERReader.Tag.sequence)
        try outer.end()
        var body = try reader.inside(DERReader.Tag.sequence)
        let outerAlgorithm = try reader.content(DERReader.Tag.sequence)
        _ = try reader.content(DERReader.Tag.bitString)
        try reader.end()

        version = try Self.version(&body)
        serial = try body.content(DERReader.Tag.integer)
        guard !serial.isEmpty else { throw .value }
        let algorithm = try body.content(DERReader.Tag.sequence)
        hasOneSignatureAlgorithm = algorithm == outerAlgorithm
        signature = try SignatureStrength(outerAlgorithm)
        issuer = try NameContent(try body.content(DERReader.Tag.sequence))
        var validity = try body.inside(DERReader.Tag.sequence)
        notBefore = try CertificateDate(try validity.element())
        notAfter = try CertificateDate(try validity.element())
        try validity.end()
        subject = try NameContent(try body.content(DERReader.Tag.sequence))
        key = try PublicKeyContent(try body.element())
        // Unique identifiers of issuer and subject, which nobody uses any more.
        _ = try body.optional(0x81)
        _ = try body.optional(0x82)
        if let content = try body.optional(0xA3) {
            guard version == 3 else { throw .value }
            extensions = try CertificateExtensions(content)
        } else {
            extensions = CertificateExtensions()
        }
        try body.end()
    }

    private static func version(_ body: inout DERReader) throws(DERError) -> Int {
        guard var explicit = try body.optional(0xA0).map({ DERReader($0) }) else { return 1 }
        let number = try DERReader.small(try explicit.content(DERReader.Tag.integer))
        try explicit.end()
        guard number == 1 || number == 2 else { throw .value }
        return number + 1
    }

    /// Whether this may have been issued by the other: names and, where both have one, key identifiers.
    func names(_ issuer: CertificateContent) -> Bool { self.issuer == issuer.subject }

    /// Whether it calls itself an authority, or is a root from before there was a way to.
    var mayIssue: Bool { extensions.isAuthority || version < 3 && isSelfIssued }

    /// False where the key identifiers say that it was another key of the same name.
    func fitsKey(of issuer: CertificateContent) -> Bool {
        guard let wanted = extensions.authorityKeyId, let had = issuer.extensions.subjectKeyId else { return true }
        return wanted == had
    }
}
