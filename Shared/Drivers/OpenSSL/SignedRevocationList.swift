import COpenSSL

/// The owner of one `X509_CRL`, kept for its signature.
package final class SignedRevocationList {
    private let handle: OpaquePointer

    package init(_ der: [UInt8]) throws(OpenSSLError) {
        defer { OpenSSLError.clearQueue() }
        let made = der.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return d2i_X509_CRL(nil, &next, buffer.count)
        }
        guard let made else { throw .last(.malformed, "read revocation list") }
        handle = made
    }

    deinit { X509_CRL_free(handle) }

    package func isSigned(by issuer: Certificate) -> Bool {
        defer { OpenSSLError.clearQueue() }
        guard let key = X509_get0_pubkey(issuer.handle) else { return false }
        return X509_CRL_verify(handle, key) == 1
    }
}
