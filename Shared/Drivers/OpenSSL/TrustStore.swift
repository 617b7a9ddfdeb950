import COpenSSL

/// The owner of one `X509_STORE`: anchors that were added, and directories whose anchors libcrypto loads when a chain asks for them.
package final class TrustStore {
    /// Certificates between a leaf and its anchor; libcrypto's own limit is 100.
    package static let chainDepthMax = 10

    private let store: OpaquePointer

    package init() throws(OpenSSLError) {
        guard let store = X509_STORE_new() else { throw .last(.exhausted, "make trust store") }
        self.store = store
    }

    deinit { X509_STORE_free(store) }

    /// Looks anchors up in a directory of `<subject hash>.<number>` files when they are needed, so that only those stand in memory.
    package func add(hashedDirectory path: String) throws(OpenSSLError) {
        defer { OpenSSLError.clearQueue() }
        // X509_STORE_add_lookup(3): the lookup belongs to the store; asked again for the same method it gives the same lookup.
        guard let lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir()) else { throw .last(.exhausted, "add trust directory") }
        // X509_LOOKUP_add_dir is a macro over this call.
        guard X509_LOOKUP_ctrl(lookup, X509_L_ADD_DIR, path, Int(X509_FILETYPE_PEM), nil) == 1 else {
            throw .last(.refused, "add trust directory")
        }
    }

    /// Makes a certificate an anchor; one that is an anchor already is no error. The store takes a reference of its own.
    package func add(anchor: Certificate) throws(OpenSSLError) {
        defer { OpenSSLError.clearQueue() }
        guard X509_STORE_add_cert(store, anchor.handle) == 1 else { throw .last(.refused, "add trust anchor") }
    }

    /// Whether a chain leads from the leaf over the intermediates to an anchor.
    ///
    /// `now` (milliseconds since 1970) is held against the issuers' dates; nil for a machine that does not know the time. The leaf's own dates
    /// are never looked at: that it has expired must not hide whether it is trusted, nor the other way round.
    package func verify(_ leaf: Certificate, intermediates: [Certificate], at now: Int64?) throws(OpenSSLError) -> TrustVerdict {
        defer { OpenSSLError.clearQueue() }
        let untrusted = CertificateStack()
        guard let untrusted else { throw .last(.exhausted, "verify certificate") }
        for certificate in intermediates where X509_cmp(certificate.handle, leaf.handle) != 0 { untrusted.borrow(certificate) }
        guard let context = X509_STORE_CTX_new() else { throw .last(.exhausted, "verify certificate") }
        defer { X509_STORE_CTX_free(context) }
        guard X509_STORE_CTX_init(context, store, leaf.handle, untrusted.handle) == 1 else { throw .last(.exhausted, "verify certificate") }
        // The context borrows leaf and intermediates until it is freed.
        return withExtendedLifetime((leaf, intermediates, untrusted)) { Self.run(context, at: now) }
    }

    private static func run(_ context: OpaquePointer, at now: Int64?) -> TrustVerdict {
        let parameters = X509_STORE_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_depth(parameters, Int32(chainDepthMax))
        if let now {
            // 32-bit machines of Debian 12 have a 32-bit time_t.
            X509_VERIFY_PARAM_set_time(parameters, time_t(clamping: now / 1000))
        } else {
            X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_NO_CHECK_TIME))
        }
        X509_STORE_CTX_set_verify_cb(context, DateFindings.callback)
        var dates = DateFindings()
        let isBuilt = withUnsafeMutablePointer(to: &dates) { pointer in
            // Application data is ex_data 0; the pointer is taken away again before it dies.
            X509_STORE_CTX_set_ex_data(context, 0, pointer)
            let result = X509_verify_cert(context)
            X509_STORE_CTX_set_ex_data(context, 0, nil)
            return result == 1
        }
        let chain = links(X509_STORE_CTX_get0_chain(context))
        if isBuilt && dates.code == X509_V_OK { return TrustVerdict(isTrusted: true, code: X509_V_OK, text: "", depth: 0, chain: chain) }
        let code = isBuilt ? dates.code : failure(context)
        let depth = isBuilt ? dates.depth : X509_STORE_CTX_get_error_depth(context)
        return TrustVerdict(isTrusted: false, code: code, text: words(of: code), depth: max(0, Int(depth)), chain: chain)
    }

    /// X509_verify_cert(3) may fail, for want of memory say, without an error code; a refusal may never read as "ok".
    private static func failure(_ context: OpaquePointer) -> Int32 {
        let code = X509_STORE_CTX_get_error(context)
        return code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code
    }

    private static func words(of code: Int32) -> String {
        X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "unknown"
    }

    private static func links(_ chain: OpaquePointer?) -> [ChainLink] {
        guard let chain else { return [] }
        var links: [ChainLink] = []
        for index in 0..<max(0, OPENSSL_sk_num(chain)) {
            guard let item = OPENSSL_sk_value(chain, index) else { continue }
            links.append(ChainLink(of: OpaquePointer(item)))
        }
        return links
    }
}

/// The date failures met while a chain is verified: the leaf's are passed over, the first of an issuer is kept, and
/// verification goes on either way, so that a bad signature behind an old date is still found.
private struct DateFindings {
    var code: Int32 = X509_V_OK
    var depth: Int32 = 0

    static let callback: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isFine, context in
        guard isFine == 0, let context else { return isFine }
        let code = X509_STORE_CTX_get_error(context)
        guard code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID,
            let data = X509_STORE_CTX_get_ex_data(context, 0)
        else { return 0 }
        let findings = data.assumingMemoryBound(to: DateFindings.self)
        let depth = X509_STORE_CTX_get_error_depth(context)
        if depth > 0 && findings.pointee.code == X509_V_OK {
            findings.pointee.code = code
            findings.pointee.depth = depth
        }
        return 1
    }
}

/// The owner of a `STACK_OF(X509)` that holds borrowed certificates: freeing it frees the stack alone.
private final class CertificateStack {
    let handle: OpaquePointer

    init?() {
        guard let handle = OPENSSL_sk_new_null() else { return nil }
        self.handle = handle
    }

    deinit { OPENSSL_sk_free(handle) }

    func borrow(_ certificate: Certificate) { OPENSSL_sk_push(handle, UnsafeRawPointer(certificate.handle)) }
}
