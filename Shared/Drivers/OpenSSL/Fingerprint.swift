import COpenSSL

/// SHA-256 as lower-case hexadecimal.
package enum Fingerprint {
    private static let bytesCount = 32
    /// Fetched once and never freed: EVP_sha256(3) is looked up anew at each use.
    nonisolated(unsafe) static let digest = EVP_MD_fetch(nil, "SHA256", nil)

    package static func sha256(_ bytes: [UInt8]) -> String {
        defer { OpenSSLError.clearQueue() }
        var digest = [UInt8](repeating: 0, count: bytesCount)
        // EVP_Digest(3) takes all bytes at once; the size of a digest is known.
        guard EVP_Digest(bytes, bytes.count, &digest, nil, Self.digest, nil) == 1 else { return "" }
        return Hexadecimal.text(digest)
    }
}
