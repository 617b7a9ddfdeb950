import COpenSSL

/// The subject alternative names of a certificate, borrowed for the call.
enum AlternativeNameReader {
    static func names(of certificate: OpaquePointer) -> [AlternativeName] {
        // X509_get_ext_d2i(3) gives a decoded copy that is ours to free, or null for an absent, repeated or malformed extension.
        guard let decoded = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let stack = OpaquePointer(decoded)
        defer { GENERAL_NAMES_free(stack) }
        var names: [AlternativeName] = []
        for index in 0..<max(0, OPENSSL_sk_num(stack)) {
            guard let item = OPENSSL_sk_value(stack, index) else { continue }
            if let name = name(item.assumingMemoryBound(to: GENERAL_NAME.self)) { names.append(name) }
        }
        return names
    }

    private static func name(_ general: UnsafePointer<GENERAL_NAME>) -> AlternativeName? {
        var type: Int32 = 0
        guard let value = GENERAL_NAME_get0_value(general, &type) else { return nil }
        switch type {
        case GEN_DNS: return AlternativeName(kind: .dns, text: EscapedText.ascii(bytes(value)))
        case GEN_EMAIL: return AlternativeName(kind: .email, text: EscapedText.ascii(bytes(value)))
        case GEN_URI: return AlternativeName(kind: .uri, text: EscapedText.ascii(bytes(value)))
        case GEN_IPADD: return AlternativeName(kind: .address, text: InternetAddress.text(bytes(value)))
        // Directory names, registered identifiers and other names name no endpoint.
        default: return nil
        }
    }

    /// The bytes of an ASN1_STRING by its length: they need not end at a 0 and may hold several (ASN1_STRING_get0_data(3)).
    private static func bytes(_ value: UnsafeMutableRawPointer) -> UnsafeBufferPointer<UInt8> {
        let string = value.assumingMemoryBound(to: ASN1_STRING.self)
        return UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: max(0, Int(ASN1_STRING_length(string))))
    }
}
