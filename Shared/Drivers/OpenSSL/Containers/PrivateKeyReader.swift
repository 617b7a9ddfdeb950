import COpenSSL

/// A private key, of which nothing is kept but the id of its public half.
package enum PrivateKeyReader {
    /// What a key's encoding may have: RSA of 16,384 bits needs 9 KiB, ML-DSA and SLH-DSA less.
    package static let keyBytesMax = 64 * 1024

    /// Whether a PEM block of this type holds a private key.
    static func isKey(_ type: String) -> Bool { type.utf8.count <= 64 && type.utf8.suffix(11).elementsEqual("PRIVATE KEY".utf8) }

    /// SHA-256 of the public key's encoding; nil for a key under a pass phrase and for one that libcrypto does not know.
    static func publicId(of content: UnsafePointer<UInt8>, count: Int) -> String? {
        guard count <= keyBytesMax else { return nil }
        var next: UnsafePointer<UInt8>? = content
        // d2i_AutoPrivateKey(3) finds the kind out by the structure, and takes no encrypted ones.
        guard let key = d2i_AutoPrivateKey(nil, &next, count) else { return nil }
        defer { EVP_PKEY_free(key) }
        return publicId(of: key)
    }

    /// Of a file that is one key, PKCS#8 or of its kind: a sequence that begins with a version of 0 or 1, where PKCS#12 has 3.
    static func publicId(ofDER bytes: [UInt8]) -> String? {
        guard bytes.count > 8, bytes[0] == 0x30, bytes[1] <= 0x82 else { return nil }
        let version = bytes[(2 + (bytes[1] & 0x80 == 0 ? 0 : Int(bytes[1] & 0x7F)))...].prefix(3)
        guard version.elementsEqual([2, 1, 0]) || version.elementsEqual([2, 1, 1]) else { return nil }
        return bytes.withUnsafeBufferPointer { buffer in buffer.baseAddress.flatMap { publicId(of: $0, count: buffer.count) } }
    }

    /// The key is borrowed.
    static func publicId(of key: OpaquePointer) -> String? {
        let length = i2d_PUBKEY(key, nil)
        guard length > 0 else { return nil }
        let encoded = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, initialized in
            var end = buffer.baseAddress
            initialized = max(0, Int(i2d_PUBKEY(key, &end)))
        }
        return Fingerprint.sha256(encoded)
    }
}
