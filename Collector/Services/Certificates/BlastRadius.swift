import DocumentStores

/// What stops working on the last day of a certificate, which may be an authority's.
package struct BlastRadius: Sendable {
    package let id: String
    package let subject: String
    /// The last instant, milliseconds since 1970; nil when no device has told it.
    package let notAfter: Int64?
    /// Those that would still be valid, soonest expiry first.
    package let stopping: LabelledPlaces
    /// Those that hang on it, and end before it does.
    package let endingBefore: LabelledPlaces
    /// There are more of them than were looked at.
    package let isCut: Bool

    /// - Parameters:
    ///   - facts: of the certificate; nil when none are known.
    ///   - places: where it is itself, and what has it in its chain.
    ///   - ends: of the certificates of their chains, as far as they are known.
    package init(_ id: String, facts: Document?, places: [CertificateAtPlace], ends: CertificateEnds, labels: DeviceLabels, isCut: Bool) {
        self.id = id
        subject = facts?["subject"]?.text ?? ""
        let notAfter = facts?["expiryDate"]?.integer ?? places.first { $0.id == id }?.notAfter
        self.notAfter = notAfter
        // An issuer's certificate serves nobody by itself.
        let leaves = places.filter { !$0.isIssuer || ($0.id == id && $0.hasKey) }
        func isStopping(_ place: CertificateAtPlace) -> Bool {
            guard let notAfter, let end = ends.end(of: place) else { return true }
            return end >= notAfter
        }
        stopping = LabelledPlaces(leaves.filter(isStopping), labels)
        endingBefore = LabelledPlaces(leaves.filter { !isStopping($0) }, labels)
        self.isCut = isCut
    }
}

/// When certificates end, by their ids.
package struct CertificateEnds: Sendable {
    private let ends: [String: Int64]

    package init(_ facts: some Swift.Sequence<Document>) {
        ends = Dictionary(facts.compactMap { document in document["expiryDate"]?.integer.map { (document.id, $0) } }) { first, _ in first }
    }

    /// The instant at which a certificate stops working: its own end or that of an issuer, as far as they are known.
    package func end(of place: CertificateAtPlace) -> Int64? {
        (place.chain.compactMap { ends[$0] } + [place.notAfter].compactMap(\.self)).min()
    }

    /// The issuer whose end comes before the certificate's own; nil when there is none.
    package func cause(of place: CertificateAtPlace) -> String? {
        guard let own = place.notAfter else { return nil }
        return place.chain.filter { ends[$0].map { $0 < own } ?? false }.min { ends[$0] ?? .max < ends[$1] ?? .max }
    }
}

extension CertificateAtPlace {
    /// An issuer's, in a file; one that has the key beside it issues or serves there.
    var isIssuer: Bool { role == "intermediate" || role == "root" || (role.isEmpty && isAuthority) }
}
