import AgentCertificates
import CertificateInspection
import Testing

@Suite struct HandshakeFindingsTests {
    @Test(arguments: [
        ("TLSv1.3", "TLS_AES_256_GCM_SHA384", ""), ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", ""), ("TLSv1.2", "AES128-SHA", ""),
        ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", ""), ("TLSv1.2", "DHE-RSA-SEED-SHA", ""),
        ("TLSv1.1", "ECDHE-RSA-AES256-SHA", "problem weak_protocol"), ("TLSv1", "AES128-SHA", "problem weak_protocol"),
        ("SSLv3", "DES-CBC3-SHA", "problem weak_protocol problem weak_cipher"), ("TLSv1.2", "ECDHE-RSA-DES-CBC3-SHA", "problem weak_cipher"),
        ("TLSv1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "problem weak_cipher"), ("TLSv1.2", "IDEA-CBC-SHA", "problem weak_cipher"),
        ("TLSv1.2", "NULL-SHA256", "critical weak_cipher"), ("TLSv1.2", "ECDHE-RSA-NULL-SHA", "critical weak_cipher"),
        ("TLSv1.2", "RC4-SHA", "critical weak_cipher"), ("TLSv1.2", "EXP-DES-CBC-SHA", "critical weak_cipher"),
        ("TLSv1.2", "DES-CBC-SHA", "critical weak_cipher"), ("TLSv1.2", "ADH-AES128-SHA", "critical weak_cipher"), ("", "", ""),
    ])
    func `a protocol and a cipher are told of that nobody should take`(version: String, cipher: String, expected: String) {
        for profile in [ValidationProfile.webpki, .device] {
            let findings = HandshakeFindings.of(protocolName: version, cipher: cipher, in: profile)
            #expect(findings.map { $0.severity.name + " " + $0.code.name }.joined(separator: " ") == expected)
        }
    }
}
