import COpenSSL

/// What an endpoint shows in a TLS handshake.
package struct TLSHandshake {
    /// Certificates of a chain that are taken.
    package static let chainMax = 32

    /// As served, leaf first.
    package let chain: [Certificate]
    package let protocolName: String
    package let cipher: String
    package let stapled: StapledStatus

    /// Shakes hands on a connected socket that does not block, which stays the caller's, and ends the session again. Nothing is believed yet:
    /// every chain, protocol and cipher is taken, since what is looked for is what is wrong. `wait` waits until there is something to read, or
    /// room to write if it is handed true, and is false when there is no more time.
    package init(on socket: Int32, host: String, isName: Bool, wait: (Bool) -> Bool) throws(OpenSSLError) {
        defer { OpenSSLError.clearQueue() }
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .last(.exhausted, "shake hands") }
        defer { SSL_CTX_free(context) }
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        Self.takeAnything(context)
        guard let session = SSL_new(context) else { throw .last(.exhausted, "shake hands") }
        defer { SSL_free(session) }
        // SSL_set_tlsext_host_name, SSL_set_tlsext_status_type and their kin are macros over SSL_ctrl. RFC 6066: no addresses as names.
        if isName {
            var name = Array(host.utf8CString)
            _ = SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &name)
        }
        _ = SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, Int(TLSEXT_STATUSTYPE_ocsp), nil)
        guard SSL_set_fd(session, socket) == 1 else { throw .last(.refused, "shake hands") }
        try Self.connect(session, wait)
        chain = Self.chain(of: session)
        protocolName = SSL_get_version(session).map { String(cString: $0) } ?? ""
        cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(session)).map { String(cString: $0) } ?? ""
        stapled = StapledStatus(of: session, chain)
        SSL_shutdown(session)
    }

    /// The strong ones first, and behind them those that nobody should take; none without a certificate.
    private static let ciphers = "ALL:eNULL:!aNULL:!PSK:!SRP:@SECLEVEL=0"
    /// SSL_OP_LEGACY_SERVER_CONNECT, which is a macro with a cast: servers that have not heard of RFC 5746.
    private static let legacyServers: UInt64 = 1 << 2

    /// Whatever the machine's openssl.cnf asks for.
    private static func takeAnything(_ context: OpaquePointer) {
        // SSL_CTX_set_min_proto_version(3): "Setting the minimum … version to 0, will enable protocol versions down to the lowest version".
        _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, 0, nil)
        _ = SSL_CTX_set_cipher_list(context, ciphers)
        SSL_CTX_set_security_level(context, 0)
        _ = SSL_CTX_set_options(context, legacyServers)
    }

    private static func connect(_ session: OpaquePointer, _ wait: (Bool) -> Bool) throws(OpenSSLError) {
        while true {
            let code = SSL_connect(session)
            if code == 1 { return }
            // SSL_get_error(3): what the call would have waited for.
            let isWriting: Bool
            switch SSL_get_error(session, code) {
            case SSL_ERROR_WANT_READ: isWriting = false
            case SSL_ERROR_WANT_WRITE: isWriting = true
            default: throw .last(.refused, "shake hands")
            }
            guard wait(isWriting) else { throw OpenSSLError(.refused, "shake hands", text: "no answer in time") }
        }
    }

    private static func chain(of session: OpaquePointer) -> [Certificate] {
        // SSL_get_peer_cert_chain(3): "If called on the client side, the stack also contains the peer's certificate"; the stack stays the session's.
        guard let stack = SSL_get_peer_cert_chain(session) else { return [] }
        var chain: [Certificate] = []
        for index in 0..<min(Int32(chainMax), max(0, OPENSSL_sk_num(stack))) {
            guard let item = OPENSSL_sk_value(stack, index) else { continue }
            let handle = OpaquePointer(item)
            guard X509_up_ref(handle) == 1 else { continue }
            chain.append(Certificate(takingOwnership: handle))
        }
        return chain
    }
}

/// What a stapled OCSP response says about the leaf (RFC 6960, RFC 6066).
package enum StapledStatus: UInt8, Sendable {
    case none, good, revoked
    /// One is there, but not signed by the issuer or whom it named, not current, or not about this certificate.
    case unusable

    package var name: String {
        switch self {
        case .none: "none"
        case .good: "good"
        case .revoked: "revoked"
        case .unusable: "unusable"
        }
    }

    /// Clocks may differ by so many seconds.
    private static let skewSeconds = 300

    init(of session: OpaquePointer, _ chain: [Certificate]) {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = withUnsafeMutablePointer(to: &bytes) { SSL_ctrl(session, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, $0) }
        guard let bytes, count > 0 else {
            self = .none
            return
        }
        self = Self.read(bytes, count, chain)
    }

    private static func read(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ chain: [Certificate]) -> StapledStatus {
        var next: UnsafePointer<UInt8>? = bytes
        guard chain.count > 1, let response = d2i_OCSP_RESPONSE(nil, &next, count) else { return .unusable }
        defer { OCSP_RESPONSE_free(response) }
        guard OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL, let basic = OCSP_response_get1_basic(response) else {
            return .unusable
        }
        defer { OCSP_BASICRESP_free(basic) }
        guard isSigned(basic, by: chain[1]), let id = OCSP_cert_to_id(nil, chain[0].handle, chain[1].handle) else { return .unusable }
        defer { OCSP_CERTID_free(id) }
        var status: Int32 = 0
        var reason: Int32 = 0
        var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var following: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        guard OCSP_resp_find_status(basic, id, &status, &reason, nil, &this, &following) == 1,
            OCSP_check_validity(this, following, skewSeconds, -1) == 1
        else { return .unusable }
        switch status {
        case V_OCSP_CERTSTATUS_GOOD: return .good
        case V_OCSP_CERTSTATUS_REVOKED: return .revoked
        default: return .unusable
        }
    }

    /// The issuer's own signature, or that of a responder whom it certified: OCSP_basic_verify(3) with the issuer as the only anchor.
    private static func isSigned(_ basic: OpaquePointer, by issuer: Certificate) -> Bool {
        guard let store = X509_STORE_new(), let stack = OPENSSL_sk_new_null() else { return false }
        defer {
            X509_STORE_free(store)
            OPENSSL_sk_free(stack)
        }
        guard X509_STORE_add_cert(store, issuer.handle) == 1 else { return false }
        // An intermediate is anchor enough here.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        OPENSSL_sk_push(stack, UnsafeRawPointer(issuer.handle))
        return withExtendedLifetime(issuer) { OCSP_basic_verify(basic, stack, store, UInt(0)) == 1 }
    }
}
