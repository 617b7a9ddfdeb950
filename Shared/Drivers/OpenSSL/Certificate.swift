import COpenSSL

/// The owner of one `X509`: freed with this object, and never handed out beyond the driver.
package final class Certificate {
    /// libcrypto's handle; valid as long as this object is.
    let handle: OpaquePointer

    /// What it was decoded in has to outlive it.
    private let context: KeylessContext?

    /// Takes over the reference that the caller has.
    init(takingOwnership handle: OpaquePointer, in context: KeylessContext? = nil) {
        self.handle = handle
        self.context = context
    }

    deinit { X509_free(handle) }

    /// Everything that the certificate says, as plain values.
    package func facts() -> CertificateFacts {
        defer { OpenSSLError.clearQueue() }
        let subject = X509_get_subject_name(handle)
        let key = PublicKeyFacts(of: self)
        let flags = X509_get_extension_flags(handle)
        return CertificateFacts(
            subject: DistinguishedName.line(subject),
            issuer: DistinguishedName.line(X509_get_issuer_name(handle)),
            commonName: DistinguishedName.commonName(subject),
            alternativeNames: AlternativeNameReader.names(of: handle),
            serial: serial(),
            fingerprint: fingerprint(),
            notBefore: CertificateTime.milliseconds(X509_get0_notBefore(handle)),
            notAfter: CertificateTime.milliseconds(X509_get0_notAfter(handle)),
            keyAlgorithm: key.algorithm,
            keyBits: key.bits,
            signatureAlgorithm: signatureAlgorithm(),
            isAuthority: flags & UInt32(EXFLAG_CA) != 0,
            isSelfIssued: flags & UInt32(EXFLAG_SI) != 0,
            version: Int(X509_get_version(handle)) + 1)
    }

    /// Whether basic constraints make this a certificate authority: what may stand between a leaf and an anchor.
    package var isAuthority: Bool {
        defer { OpenSSLError.clearQueue() }
        return X509_get_extension_flags(handle) & UInt32(EXFLAG_CA) != 0
    }

    /// The subject on one line, as `CertificateFacts` has it.
    package func subject() -> String {
        defer { OpenSSLError.clearQueue() }
        return DistinguishedName.line(X509_get_subject_name(handle))
    }

    /// The whole of it as DER.
    package func encoding() -> [UInt8] {
        defer { OpenSSLError.clearQueue() }
        // i2d_X509(3) with null gives the length, and then writes at the pointer that it is given and moves it.
        let count = i2d_X509(handle, nil)
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
            var next = buffer.baseAddress
            initialized = max(0, Int(i2d_X509(handle, &next)))
        }
    }

    /// The hashes by which directories of anchors name their files (X509_issuer_name_hash(3)).
    package func issuerHash() -> UInt { UInt(X509_issuer_name_hash(handle)) }
    package func subjectHash() -> UInt { UInt(X509_subject_name_hash(handle)) }

    private func serial() -> String {
        guard let number = X509_get0_serialNumber(handle) else { return "" }
        // An ASN1_INTEGER holds the magnitude; the sign is in its type.
        let magnitude = UnsafeBufferPointer(start: ASN1_STRING_get0_data(number), count: max(0, Int(ASN1_STRING_length(number))))
        let isNegative = ASN1_STRING_type(number) & V_ASN1_NEG != 0
        return (isNegative ? "-" : "") + (magnitude.isEmpty ? "00" : Hexadecimal.text(magnitude))
    }

    private func fingerprint() -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(handle, Fingerprint.digest, &digest, &count) == 1 else { return "" }
        return Hexadecimal.text(digest.prefix(Int(count)))
    }

    private func signatureAlgorithm() -> String {
        var algorithm: UnsafePointer<X509_ALGOR>?
        X509_get0_signature(nil, &algorithm, handle)
        guard let algorithm else { return "unknown" }
        var object: OpaquePointer?
        X509_ALGOR_get0(&object, nil, nil, algorithm)
        return ObjectName.text(of: object)
    }
}
