import COpenSSL

/// The name and the size of a certificate's public key.
struct PublicKeyFacts {
    private static let nameBytesMax = 128

    let algorithm: String
    let bits: Int

    init(of certificate: Certificate) {
        var object: OpaquePointer?
        var bytes: UnsafePointer<UInt8>?
        var count: Int32 = 0
        var parameters: UnsafeMutablePointer<X509_ALGOR>?
        // X509_PUBKEY_get0_param(3): all of it stays the certificate's.
        guard X509_PUBKEY_get0_param(&object, &bytes, &count, &parameters, X509_get_X509_PUBKEY(certificate.handle)) == 1 else {
            (algorithm, bits) = ("unknown", 0)
            return
        }
        // Nearly all keys are of these kinds, and are known without being decoded.
        if OBJ_obj2nid(object) == NID_rsaEncryption, let length = Self.modulusBits(bytes, Int(count)) {
            (algorithm, bits) = ("RSA", length)
        } else if OBJ_obj2nid(object) == NID_X9_62_id_ecPublicKey, Self.curve(in: parameters) == NID_X9_62_prime256v1 {
            (algorithm, bits) = ("EC P-256", 256)
        } else if let key = PublicKey(of: certificate) {
            algorithm = Self.name(of: key.handle)
            bits = max(0, Int(EVP_PKEY_get_bits(key.handle)))
        } else {
            algorithm = ObjectName.text(of: object)
            bits = 0
        }
    }

    /// An RSAPublicKey is a sequence that begins with the modulus (RFC 8017, appendix A.1.1).
    private static func modulusBits(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int? {
        guard var next = bytes else { return nil }
        let end = next + count
        var (length, tag, kind): (Int, Int32, Int32) = (0, 0, 0)
        for wanted in [V_ASN1_SEQUENCE, V_ASN1_INTEGER] {
            var moved: UnsafePointer<UInt8>? = next
            // ASN1_get_object(3) has bit 0x80 set when there is no such element within the bytes.
            guard ASN1_get_object(&moved, &length, &tag, &kind, end - next) & 0x80 == 0, tag == wanted, let moved else { return nil }
            next = moved
        }
        let modulus = UnsafeBufferPointer(start: next, count: length).drop { $0 == 0 }
        return modulus.first.map { modulus.count * 8 - $0.leadingZeroBitCount }
    }

    private static func curve(in algorithm: UnsafePointer<X509_ALGOR>?) -> Int32 {
        var value: UnsafeRawPointer?
        var type: Int32 = 0
        X509_ALGOR_get0(nil, &type, &value, algorithm)
        return type == V_ASN1_OBJECT ? OBJ_obj2nid(value.map { OpaquePointer($0) }) : 0
    }

    private static func name(of key: OpaquePointer) -> String {
        switch EVP_PKEY_get_base_id(key) {
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
        case "secp384r1": return " P-384"
        case "secp521r1": return " P-521"
        default: return name.isEmpty ? "" : " " + name
        }
    }

    private static func typeName(of key: OpaquePointer) -> String {
        guard let name = EVP_PKEY_get0_type_name(key) else { return "unknown" }
        return String(cString: name)
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
