/// What a certificate's dates and its trust say at a moment, worst first.
package enum CertificateValidity: String, Sendable, Comparable, CaseIterable {
    case expired
    case notYetValid = "not_yet_valid"
    case untrusted
    case expiring
    case ok

    /// From so long before its end on a certificate counts as expiring: 30 days, in milliseconds.
    package static let expiringWithin: Int64 = 30 * 86_400_000

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    package static func < (a: CertificateValidity, b: CertificateValidity) -> Bool { a.rank < b.rank }

    /// RFC 5280, section 4.1.2.5: the period runs "from notBefore through notAfter, inclusive", to the second.
    static func hasEnded(_ notAfter: Int64, at now: Int64) -> Bool { now >= notAfter + 1_000 }

    /// Judged when it is asked for, never stored: a certificate expires without anybody reporting it. All times are milliseconds since 1970.
    package static func judge(notBefore: Int64?, notAfter: Int64?, isTrusted: Bool, at now: Int64) -> CertificateValidity {
        guard let notBefore, let notAfter else { return .untrusted }
        if hasEnded(notAfter, at: now) { return .expired }
        if now < notBefore { return .notYetValid }
        if !isTrusted { return .untrusted }
        return notAfter - now <= expiringWithin ? .expiring : .ok
    }

    /// Whole days until the end, rounded down: below zero once it has passed.
    package static func daysLeft(notAfter: Int64?, at now: Int64) -> Int64? {
        guard let notAfter else { return nil }
        let (days, rest) = (notAfter - now).quotientAndRemainder(dividingBy: 86_400_000)
        return rest < 0 ? days - 1 : days
    }
}
