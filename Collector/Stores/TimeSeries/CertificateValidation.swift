import Telemetry

/// What validating a certificate once measured: a row of `certificate_metrics`.
package struct CertificateValidation: Hashable, Sendable {
    /// The same for the same validation, however often it comes, and as good as never for another; positive.
    package let id: Int64
    /// SHA-256 of its DER, hexadecimal.
    package let certificate: String
    /// What reading and checking it took, seconds.
    package let validationTime: Double
    /// What its endpoint took to answer, seconds; 0 for one that lies in a file.
    package let responseTime: Double
    /// 0…100.
    package let securityScore: Double
    /// UTC, milliseconds since 1970.
    package let at: Int64

    /// - Parameter place: where it was validated: any text that no other place has.
    package init(certificate: String, place: String, validationTime: Double, responseTime: Double, securityScore: Double, at: Int64) {
        id = Self.id(certificate, place, at)
        self.certificate = certificate
        self.validationTime = validationTime
        self.responseTime = responseTime
        self.securityScore = securityScore
        self.at = at
    }

    /// As a store has it.
    package init(id: Int64, certificate: String, validationTime: Double, responseTime: Double, securityScore: Double, at: Int64) {
        self.id = id
        self.certificate = certificate
        self.validationTime = validationTime
        self.responseTime = responseTime
        self.securityScore = securityScore
        self.at = at
    }

    /// FNV-1a of 64 bits, with a zero byte between the texts: <https://datatracker.ietf.org/doc/html/rfc9923>. The time keeps rows apart beside it.
    private static func id(_ certificate: String, _ place: String, _ at: Int64) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for text in [certificate, place, String(at)] {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            hash = hash &* 0x0000_0100_0000_01b3
        }
        return Int64(hash >> 1)
    }
}
