import LinuxDriver
import OpenSSLDriver

/// The certificate that `tlsCertificateKeyFile` names. A server that refuses one that has run out ends the connection, and what libmongoc tells of that
/// is that nobody could be reached.
enum ClientCertificate {
    private static let fileBytesMax = 64 * 1024

    /// What is wrong with it now; nil when nothing is, or it cannot be read, which libmongoc tells of itself.
    static func problem(in file: String, at now: Int64) -> String? {
        guard let bytes = try? SmallFile.read(file, limit: fileBytesMax) else { return nil }
        var reader = CertificateReader(bytes)
        guard let facts = try? reader.next()?.facts() else { return nil }
        if let end = facts.notAfter, end < now { return "the certificate in tlsCertificateKeyFile has run out at " + Timestamp.text(end) }
        if let start = facts.notBefore, start > now {
            return "the certificate in tlsCertificateKeyFile is valid from " + Timestamp.text(start) + " on"
        }
        return nil
    }
}
