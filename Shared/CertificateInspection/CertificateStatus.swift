/// What a certificate is worth now, worst first: a device's status is the least of its certificates'.
package enum CertificateStatus: UInt8, Sendable, Comparable, CaseIterable {
    case expired = 0
    case notYetValid = 1
    case untrusted = 2
    case expiring = 3
    /// Trusted, by a machine that does not know the time.
    case unknown = 4
    case ok = 5

    /// From so much time before its end on, a certificate is expiring: 30 days, in milliseconds.
    package static let expiringWithin: Int64 = 30 * 86_400_000

    package static func < (a: CertificateStatus, b: CertificateStatus) -> Bool { a.rawValue < b.rawValue }

    /// The status as documents, metrics and the command line name it.
    package var name: String {
        switch self {
        case .expired: "expired"
        case .notYetValid: "not_yet_valid"
        case .untrusted: "untrusted"
        case .expiring: "expiring"
        case .unknown: "unknown"
        case .ok: "ok"
        }
    }

    /// Judges a record at `now` (milliseconds since 1970). A machine whose clock is not set yet cannot tell a good date from a bad one:
    /// there only trust counts, and what has it is unknown.
    package static func judge(_ record: CertificateRecord, at now: Int64, clockIsTrustworthy: Bool) -> CertificateStatus {
        guard let notBefore = record.notBefore, let notAfter = record.notAfter else { return .untrusted }
        if clockIsTrustworthy {
            // RFC 5280, section 4.1.2.5: both ends belong to the validity period, to the second.
            if now >= notAfter + 1000 { return .expired }
            if now < notBefore { return .notYetValid }
        }
        if !record.trusted { return .untrusted }
        guard clockIsTrustworthy else { return .unknown }
        return notAfter - now <= expiringWithin ? .expiring : .ok
    }
}

extension CertificateRecord {
    /// Whole days until the certificate ends, rounded down: below zero once it has ended. Nil when its date is malformed.
    package func daysLeft(at now: Int64) -> Int64? {
        guard let notAfter else { return nil }
        let (days, rest) = (notAfter - now).quotientAndRemainder(dividingBy: 86_400_000)
        return rest < 0 ? days - 1 : days
    }
}
