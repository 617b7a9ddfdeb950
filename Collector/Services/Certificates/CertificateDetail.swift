import DocumentStores
import TimeSeriesStores

/// Everything about one certificate.
package struct CertificateDetail: Sendable {
    /// The document of `certificates`, with `firstSeen` and `lastSeen`.
    package let facts: Document
    /// The documents of its issuers as the newest report has them, nearest first; empty ones of which no more is known.
    package let chain: [Document]
    /// Where it is, at most `CertificateService.placesMax`.
    package let places: [CertificateAtPlace]
    package let placesCount: Int
    /// Where it was, newest first, and which certificate came in its stead.
    package let history: [Document]
    /// Whose stead it came in, newest first.
    package let replaced: [Document]
    /// What the newest validation said, where the cache has it.
    package let validation: JSONValue?
    /// What the newest validations measured.
    package let validations: [CertificateValidation]

    /// The document of `certificates` is not written at each scan; the places are.
    package var lastSeen: Int64? { ([facts["lastSeen"]?.integer].compactMap(\.self) + places.map { $0.seenAt }).max() }
}

/// A key that more than one certificate or device has. A key that lies without its certificate has none of them.
package struct SharedKey: Equatable, Sendable {
    package let id: String
    package let reuse: KeyReuse
    package let certificates: [String]
    package let devices: [String]
    /// Devices on which the private key itself lies.
    package let holders: [String]

    init(id: String, reuse: KeyReuse, places: [Document]) {
        self.id = id
        self.reuse = reuse
        certificates = Set(places.compactMap { $0["certificate"]?.text }).sorted()
        devices = Set(places.compactMap { $0["device"]?.text }).sorted()
        holders = Set(places.filter { $0["hasKey"]?.bool == true }.compactMap { $0["device"]?.text }).sorted()
    }
}
