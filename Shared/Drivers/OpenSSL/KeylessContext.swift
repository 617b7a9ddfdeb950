import COpenSSL

/// A library context of libcrypto without any algorithm: certificates are decoded in it, and their public keys are not.
///
/// libcrypto 3.0 looks through all its decoders for each key that it meets, which takes ten times as long as the rest of the certificate, and
/// most keys never verify anything. Those that do are read by `PublicKey`. It takes some 45 KB while it lives.
package final class KeylessContext {
    /// Null when there is no memory for it; the default context serves as well, only slower.
    let handle: OpaquePointer?
    private let provider: OpaquePointer?

    package init() {
        handle = OSSL_LIB_CTX_new()
        // OSSL_PROVIDER-null(7): a context in which it is loaded does not load the default provider by itself.
        provider = handle.flatMap { OSSL_PROVIDER_load($0, "null") }
        OpenSSLError.clearQueue()
    }

    deinit {
        if let provider { OSSL_PROVIDER_unload(provider) }
        OSSL_LIB_CTX_free(handle)
    }
}
