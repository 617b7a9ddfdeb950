import DocumentStores

/// How a certificate stands at a place in one word, worst first: by its findings, the fleet's among them, and by its end, which comes without anybody
/// reporting it.
package enum CertificateStatus: String, Sendable, Comparable, CaseIterable {
    case critical, problem
    /// Nothing but the device's clock is wrong, so that it cannot tell.
    case unknown
    case ok

    /// A device whose clock nobody trusts says nothing of dates.
    private static let clockCode = "clock_not_trustworthy"

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    package static func < (a: CertificateStatus, b: CertificateStatus) -> Bool { a.rank < b.rank }

    /// By the findings alone, as a document of `certificatePlaces` has them: what its `codes` say too.
    static func verdict(of place: JSONValue) -> CertificateStatus {
        let findings = ReportedFinding.list(place["findings"])
        let severities = findings.filter { $0.code != clockCode }.map { $0.severity } + [place["keyReuse"]?.text ?? ""]
        for status in [CertificateStatus.critical, .problem] where severities.contains(status.rawValue) { return status }
        if findings.contains(where: { $0.code == clockCode }) { return .unknown }
        // Agents of an older version report no findings, and no score.
        return place["score"]?.integer == nil && place["trusted"]?.bool != true ? .critical : .ok
    }

    /// - Parameter verdict: by the findings of the device's newest scan, which may be long ago.
    static func judge(_ verdict: CertificateStatus, notAfter: Int64?, at now: Int64) -> CertificateStatus {
        guard let notAfter else { return verdict }
        if CertificateValidity.hasEnded(notAfter, at: now) { return .critical }
        return notAfter - now <= CertificateValidity.expiringWithin ? min(verdict, .problem) : verdict
    }

    /// What a place of this verdict is found by among its codes; most are ok, and are found without.
    var mark: String? { self == .ok ? nil : "=" + rawValue }
}
