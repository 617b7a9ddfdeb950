import COpenSSL

/// The name and the size of a certificate's public key.
struct PublicKeyFacts {
    private static let nameBytesMax = 128

    let algorithm: String
    let bits: Int

    /// The certificate is borrowed for the call.
    init(of certificate: OpaquePointer) {
        // X509_get0_pubkey(3): the key stays the certificate's; null for an algorithm that libcrypto does not know or a damaged key.
        guard let key = X509_get0_pubkey(certificate) else {
            OpenSSLError.clearQueue()
            algorithm = Self.declaredAlgorithm(of: certificate)
            bits = 0
            return
        }
        algorithm = Self.name(of: key)
        bits = max(0, Int(EVP_PKEY_get_bits(key)))
    }

    private static func name(of key: OpaquePointer) -> String {
        switch EVP_PKEY_get_base_id(key) {
        case NID_rsaEncryption: "RSA"
        case NID_rsassaPss: "RSA-PSS"
        case NID_dsa: "DSA"
        case NID_X9_62_id_ecPublicKey: "EC" + curve(of: key)
        case NID_ED25519: "Ed25519"
        case NID_ED448: "Ed448"
        case NID_X25519: "X25519"
        case NID_X448: "X448"
        default: typeName(of: key)
        }
    }

    /// A space and the curve: `P-256`, `P-384`, `P-521` for those that NIST names, libcrypto's name for others; nothing for
    /// a key that spells its curve out.
    private static func curve(of key: OpaquePointer) -> String {
        var buffer = [CChar](repeating: 0, count: nameBytesMax)
        var length = 0
        guard EVP_PKEY_get_group_name(key, &buffer, buffer.count, &length) == 1 else {
            OpenSSLError.clearQueue()
            return ""
        }
        let name = ObjectName.text(buffer)
        switch name {
        case "prime256v1": return " P-256"
        case "secp384r1": return " P-384"
        case "secp521r1": return " P-521"
        default: return name.isEmpty ? "" : " " + name
        }
    }

    private static func typeName(of key: OpaquePointer) -> String {
        guard let name = EVP_PKEY_get0_type_name(key) else { return "unknown" }
        return String(cString: name)
    }

    private static func declaredAlgorithm(of certificate: OpaquePointer) -> String {
        var object: OpaquePointer?
        guard let key = X509_get_X509_PUBKEY(certificate), X509_PUBKEY_get0_param(&object, nil, nil, nil, key) == 1 else { return "unknown" }
        return ObjectName.text(of: object)
    }
}

/// The name of an ASN.1 object identifier: libcrypto's, or the numbers with dots.
enum ObjectName {
    private static let nameBytesMax = 128

    /// The object is borrowed.
    static func text(of object: OpaquePointer?) -> String {
        guard let object else { return "unknown" }
        var buffer = [CChar](repeating: 0, count: nameBytesMax)
        // OBJ_obj2txt(3) cuts what is longer than the buffer and ends it with a 0.
        guard OBJ_obj2txt(&buffer, Int32(buffer.count), object, 0) > 0 else {
            OpenSSLError.clearQueue()
            return "unknown"
        }
        return text(buffer)
    }

    static func text(_ buffer: [CChar]) -> String {
        String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
