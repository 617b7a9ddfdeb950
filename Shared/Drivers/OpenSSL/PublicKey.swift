import COpenSSL

/// The owner of one `EVP_PKEY`, by which signatures are verified. Reading one is dear: who needs it twice keeps it.
package final class PublicKey {
    let handle: OpaquePointer

    /// From a `SubjectPublicKeyInfo`; nil for an algorithm that libcrypto does not know and for a damaged key.
    package convenience init?(_ encoding: ArraySlice<UInt8>) {
        self.init(encoding.withUnsafeBufferPointer { Self.decode($0.baseAddress, $0.count) })
    }

    package convenience init?(of certificate: Certificate) {
        var encoding: UnsafeMutablePointer<UInt8>?
        // The key is encoded as it stood in the certificate; the bytes are ours to free.
        let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.handle), &encoding)
        defer { CRYPTO_free(encoding, nil, 0) }
        self.init(Self.decode(encoding, Int(count)))
    }

    private init?(_ made: OpaquePointer?) {
        OpenSSLError.clearQueue()
        guard let made else { return nil }
        handle = made
    }

    deinit { EVP_PKEY_free(handle) }

    private static func decode(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> OpaquePointer? {
        var next = bytes
        return count > 0 ? d2i_PUBKEY(nil, &next, count) : nil
    }

    /// Whether the signature is by this key; names and dates are not looked at.
    package func hasSigned(_ certificate: Certificate) -> Bool {
        defer { OpenSSLError.clearQueue() }
        return X509_verify(certificate.handle, handle) == 1
    }

    package func hasSigned(_ list: SignedRevocationList) -> Bool {
        defer { OpenSSLError.clearQueue() }
        return X509_CRL_verify(list.handle, handle) == 1
    }
}
