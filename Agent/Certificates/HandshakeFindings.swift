import CertificateInspection

/// What the protocol and the cipher suite of a handshake are worth, both as libssl names them.
package enum HandshakeFindings {
    /// TLS 1.0 and 1.1 must not be used (RFC 8996), nor SSL 3.0 (RFC 7568).
    private static let oldProtocols = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1"]
    /// No encryption, 40 or 56 bits of it, no authentication, and RC4 (RFC 7465): whoever listens can read it.
    private static let brokenParts = ["NULL", "EXP", "EXP1024", "EXPORT", "RC4", "RC2", "ADH", "AECDH", "anon"]
    /// Blocks of 64 bits: CVE-2016-2183.
    private static let weakParts = ["DES", "3DES", "IDEA"]

    package static func of(protocolName: String, cipher: String, in profile: ValidationProfile) -> [Finding] {
        var findings: [Finding] = []
        if oldProtocols.contains(protocolName) { findings.append(Finding(.weakProtocol, in: profile, detail: protocolName)) }
        let parts = cipher.utf8.split { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        func has(_ names: [String]) -> Bool { parts.contains { part in names.contains { part.elementsEqual($0.utf8) } } }
        // DES-CBC-SHA has 56 bits, DES-CBC3-SHA encrypts three times.
        if has(brokenParts) || has(["DES"]) && has(["CBC"]) {
            findings.append(Finding(.weakCipher, .critical, detail: cipher))
        } else if has(weakParts) {
            findings.append(Finding(.weakCipher, in: profile, detail: cipher))
        }
        return findings
    }
}
