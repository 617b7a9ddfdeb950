import DocumentStores

/// What an authority's end takes with it.
package struct Dependents: Equatable, Sendable {
    /// The authority's own end, milliseconds since 1970; nil when no device has its certificate in a file.
    package let notAfter: Int64?
    package let subject: String
    /// Certificates whose chains go over it, soonest expiry first.
    package let certificates: [CertificateAtPlace]

    package var devices: [String] { Array(Set(certificates.map { $0.device })).sorted() }
}

/// A day on which something ends.
package struct ExpiryDay: Equatable, Sendable {
    /// Days since 1970, UTC.
    package let day: Int64
    /// What ends, or stops working since an issuer ends.
    package let certificates: [CertificateAtPlace]

    package var devices: [String] { Array(Set(certificates.map { $0.device })).sorted() }
}

/// A key that more than one certificate or device has.
package struct SharedKey: Equatable, Sendable {
    package let id: String
    package let certificates: [String]
    package let devices: [String]
    /// Devices on which the private key itself lies.
    package let holders: [String]

    /// A private key that lies on two devices is no longer one device's secret.
    package var severity: String { holders.count > 1 ? "critical" : "problem" }
}

/// Questions over the whole fleet's certificates.
package struct CertificateInventory: Sendable {
    private static let dayMilliseconds: Int64 = 86_400_000

    private let places: [CertificateAtPlace]
    /// The ends of certificates that some device has in a file.
    private let ends: [String: Int64]

    package init(_ places: [CertificateAtPlace]) {
        self.places = places
        ends = Dictionary(places.compactMap { place in place.notAfter.map { (place.id, $0) } }) { first, _ in first }
    }

    package func dependents(of authority: String) -> Dependents {
        let own = places.first { $0.id == authority }
        return Dependents(
            notAfter: own?.notAfter, subject: own?.subject ?? "", certificates: places.filter { $0.chain.contains(authority) })
    }

    /// The instant at which a certificate stops working: its own end or that of an issuer whose end is known.
    package func end(of place: CertificateAtPlace) -> Int64? {
        (place.chain.compactMap { ends[$0] } + [place.notAfter].compactMap { $0 }).min()
    }

    /// Days on which something ends within a range of instants, the first day first.
    package func calendar(_ range: Range<Int64>) -> [ExpiryDay] {
        var days: [Int64: [CertificateAtPlace]] = [:]
        for place in places {
            guard let end = end(of: place), range.contains(end) else { continue }
            days[Int64((Double(end) / Double(Self.dayMilliseconds)).rounded(.down)), default: []].append(place)
        }
        return days.keys.sorted().map { ExpiryDay(day: $0, certificates: days[$0] ?? []) }
    }

    /// Keys of several certificates, or whose private half lies on several devices; the worst first.
    package func sharedKeys() -> [SharedKey] {
        let keyed = Dictionary(grouping: places.filter { !$0.keyId.isEmpty }) { $0.keyId }
        let shared = keyed.compactMap { id, places -> SharedKey? in
            let certificates = Set(places.map { $0.id })
            let holders = Set(places.filter { $0.hasKey }.map { $0.device })
            guard certificates.count > 1 || holders.count > 1 else { return nil }
            return SharedKey(
                id: id, certificates: certificates.sorted(), devices: Set(places.map { $0.device }).sorted(), holders: holders.sorted())
        }
        return shared.sorted { ($0.severity, $0.id) < ($1.severity, $1.id) }
    }
}
