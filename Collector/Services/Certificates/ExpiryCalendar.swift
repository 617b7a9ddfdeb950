/// A day on which something ends.
package struct ExpiryDay: Sendable {
    /// Days since 1970, UTC.
    package let day: Int64
    /// What ends, or stops working since an issuer ends.
    package let ending: LabelledPlaces
    /// For those that stop working since an issuer ends, by their certificate: whose end it is.
    package let causes: [String: String]
}

/// What ends when.
package struct ExpiryCalendar: Sendable {
    private static let dayMilliseconds: Int64 = 86_400_000

    /// Those on which something ends, in order.
    package let days: [ExpiryDay]
    /// There is more than was looked at.
    package let isCut: Bool

    /// - Parameter range: milliseconds since 1970.
    package init(_ places: [CertificateAtPlace], _ range: Range<Int64>, ends: CertificateEnds, labels: DeviceLabels, isCut: Bool) {
        var days: [Int64: [CertificateAtPlace]] = [:]
        for place in places {
            guard let end = ends.end(of: place), range.contains(end) else { continue }
            let (day, rest) = end.quotientAndRemainder(dividingBy: Self.dayMilliseconds)
            days[rest < 0 ? day - 1 : day, default: []].append(place)
        }
        self.days = days.sorted { $0.key < $1.key }.map { day, places in
            let causes = places.compactMap { place in ends.cause(of: place).map { (place.id, $0) } }
            return ExpiryDay(day: day, ending: LabelledPlaces(places, labels), causes: Dictionary(causes) { first, _ in first })
        }
        self.isCut = isCut
    }
}
