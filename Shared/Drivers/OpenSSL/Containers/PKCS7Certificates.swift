import COpenSSL

/// The certificates of a PKCS#7 or CMS structure (`.p7b`, `.p7c`): signed data without any content is how chains are handed over.
enum PKCS7Certificates {
    static func read(_ bytes: UnsafePointer<UInt8>, _ count: Int) throws(OpenSSLError) -> [Certificate] {
        var next: UnsafePointer<UInt8>? = bytes
        guard let outer = d2i_PKCS7(nil, &next, count) else { throw .last(.malformed, "read PKCS#7") }
        defer { PKCS7_free(outer) }
        guard OBJ_obj2nid(outer.pointee.type) == NID_pkcs7_signed, let signed = outer.pointee.d.sign else { return [] }
        return CertificateList.taking(signed.pointee.cert)
    }
}

/// Certificates out of libcrypto's stacks.
enum CertificateList {
    /// Certificates of one container.
    static let countMax = 2000

    /// References of our own; the stack stays its owner's, and may be null.
    static func taking(_ stack: OpaquePointer?) -> [Certificate] {
        guard let stack else { return [] }
        var found: [Certificate] = []
        for index in 0..<min(Int32(countMax), max(0, OPENSSL_sk_num(stack))) {
            guard let item = OPENSSL_sk_value(stack, index) else { continue }
            let handle = OpaquePointer(item)
            if X509_up_ref(handle) == 1 { found.append(Certificate(takingOwnership: handle)) }
        }
        return found
    }
}
