import CTLS

/// The owner of an SSL and what it is made with: TLS between bytes in memory. The socket is the connection's; hiredis of Debian 12 knows no TLS, and
/// that of later ones would write(2), which raises SIGPIPE. Used from one thread at a time.
final class TLSChannel {
    private static let recordBytes = 16 * 1024

    private let context: OpaquePointer
    private let session: OpaquePointer
    /// What came from the server, and what is to go to it: the session owns both.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    init(_ options: RedisTLS, host: String) throws(RedisError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure("begin TLS") }
        do throws(RedisError) { try Self.prepare(context, options) } catch {
            SSL_CTX_free(context)
            throw error
        }
        guard let session = SSL_new(context), let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_CTX_free(context)
            throw Self.failure("begin TLS")
        }
        // "SSL_set_bio: … ownership of the BIOs is transferred".
        SSL_set_bio(session, incoming, outgoing)
        SSL_set_connect_state(session)
        // "X509_VERIFY_PARAM_set1_ip_asc … returns 1 for success": only an address is one; a name is compared, and told to the server.
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) != 1 {
            ERR_clear_error()
            _ = farwatch_tls_name_server(session, host)
            SSL_set1_host(session, host)
        }
        self.context = context
        self.session = session
        self.incoming = incoming
        self.outgoing = outgoing
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    /// Nil where no TLS is asked for.
    static func of(_ options: RedisOptions) throws(RedisError) -> TLSChannel? {
        guard let tls = options.tls, case .tcp(let host, _) = options.address else { return nil }
        return try TLSChannel(tls, host: host)
    }

    private static func prepare(_ context: OpaquePointer, _ options: RedisTLS) throws(RedisError) {
        _ = farwatch_tls_set_oldest(context)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let file = options.authorityFile {
            guard SSL_CTX_load_verify_file(context, file) == 1 else { throw failure("read the authorities in " + file) }
        } else {
            SSL_CTX_set_default_verify_paths(context)
        }
        guard let file = options.certificateFile else { return }
        let key = options.keyFile ?? file
        guard SSL_CTX_use_certificate_chain_file(context, file) == 1 else { throw failure("read the certificate in " + file) }
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else { throw failure("read the key in " + key) }
    }

    // MARK: Bytes

    /// Goes on with the handshake; true when it is done. What is to be sent meanwhile is in `takeOutgoing`.
    func shakeHands() throws(RedisError) -> Bool {
        ERR_clear_error()
        let code = SSL_do_handshake(session)
        guard code != 1 else { return true }
        guard SSL_get_error(session, code) == SSL_ERROR_WANT_READ else { throw refusal("connect") }
        return false
    }

    /// What came from the server.
    func received(_ bytes: [UInt8]) { _ = bytes.withUnsafeBytes { BIO_write(incoming, $0.baseAddress, Int32($0.count)) } }

    /// What of it is whole, decrypted.
    func decrypted(_ operation: String) throws(RedisError) -> [UInt8] {
        var plain: [UInt8] = []
        var record = [UInt8](repeating: 0, count: Self.recordBytes)
        while true {
            ERR_clear_error()
            let count = SSL_read(session, &record, Int32(record.count))
            if count > 0 {
                plain += record[..<Int(count)]
                continue
            }
            switch SSL_get_error(session, count) {
            case SSL_ERROR_WANT_READ: return plain
            case SSL_ERROR_ZERO_RETURN where !plain.isEmpty: return plain
            case SSL_ERROR_ZERO_RETURN: throw RedisError(.disconnected, operation: operation, detail: "the server ended the connection")
            default: throw refusal(operation)
            }
        }
    }

    /// Encrypts; the result is in `takeOutgoing`.
    func encrypt(_ plain: [UInt8], _ operation: String) throws(RedisError) {
        guard !plain.isEmpty else { return }
        ERR_clear_error()
        // Memory takes all of it at once.
        let count = plain.withUnsafeBytes { SSL_write(session, $0.baseAddress, Int32(clamping: $0.count)) }
        guard count == plain.count else { throw refusal(operation) }
    }

    /// What is to be sent.
    func takeOutgoing() -> [UInt8] {
        let waiting = BIO_ctrl_pending(outgoing)
        guard waiting > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: waiting)
        let count = BIO_read(outgoing, &bytes, Int32(clamping: waiting))
        return Array(bytes.prefix(Int(max(0, count))))
    }

    // MARK: Errors

    /// Why the other end, or its certificate, is not taken.
    private func refusal(_ operation: String) -> RedisError {
        let verdict = SSL_get_verify_result(session)
        guard verdict == X509_V_OK else {
            let reason = X509_verify_cert_error_string(verdict).map { String(cString: $0) } ?? String(verdict)
            ERR_clear_error()
            return RedisError(.tls, operation: operation, detail: "the server's certificate is not taken: " + reason)
        }
        return Self.failure(operation)
    }

    private static func failure(_ operation: String) -> RedisError {
        let code = ERR_get_error()
        ERR_clear_error()
        let reason = code == 0 ? nil : ERR_reason_error_string(code).map { String(cString: $0) }
        return RedisError(.tls, operation: operation, detail: reason ?? "TLS failed")
    }
}
