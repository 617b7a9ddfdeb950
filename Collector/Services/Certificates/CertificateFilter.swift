/// Which certificates are asked for; what is nil does not matter.
package struct CertificateFilter: Equatable, Sendable {
    package var status: CertificateStatus?
    /// The code of a finding that they have.
    package var finding: String?
    /// The issuer's name on one line.
    package var issuer: String?
    /// The id of their public key.
    package var key: String?
    /// They end before this instant (milliseconds since 1970) and have not ended yet.
    package var endsBefore: Int64?

    package init(status: CertificateStatus? = nil) { self.status = status }

    func takes(_ place: CertificateAtPlace, at now: Int64) -> Bool {
        if let status, place.status(at: now) != status { return false }
        if let finding, !place.findings.contains(where: { $0.code == finding }) { return false }
        if let issuer, place.issuer != issuer { return false }
        if let key, place.keyId != key { return false }
        guard let endsBefore else { return true }
        return place.notAfter.map { $0 >= now && $0 < endsBefore } ?? false
    }
}
