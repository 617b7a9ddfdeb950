import DocumentStores

/// What it means that one key is in several places of the fleet.
package enum KeyReuse: String, Sendable {
    /// The private key itself lies on several devices: it is no longer one device's secret.
    case critical
    /// Certificates of several devices have the same key.
    case problem

    /// Places of a key that are looked at; where there are more, these tell enough.
    static let placesMax = 64

    /// The code of the finding.
    package var code: String {
        switch self {
        case .critical: "key_on_several_devices"
        case .problem: "duplicate_key"
        }
    }

    /// What a certificate's score loses by it, as for a finding of that severity on a device.
    var penalty: Int64 { self == .critical ? 60 : 15 }

    /// The worst that holds for places of one key; nil when each has it for itself. Copies of one certificate without its key are no reuse, and an
    /// authority may have several certificates for its key.
    static func of(_ places: [Document]) -> KeyReuse? {
        func devices(_ places: [Document]) -> Set<String> { Set(places.compactMap { $0["device"]?.text }) }
        if devices(places.filter { $0["hasKey"]?.bool == true }).count > 1 { return .critical }
        let leaves = places.filter { $0["role"]?.text == "leaf" }
        let certificates = Set(leaves.compactMap { $0["certificate"]?.text })
        return certificates.count > 1 && devices(leaves).count > 1 ? .problem : nil
    }

    /// The codes that a place, as its document has it, is found by, each once; and by what they come to, which is no code.
    static func codes(_ place: JSONValue) -> [JSONValue] {
        let reuse = place["keyReuse"]?.text.flatMap(KeyReuse.init)
        var codes: [JSONValue] = []
        let added = [reuse?.code, CertificateStatus.verdict(of: place).mark].compactMap(\.self)
        for code in ReportedFinding.list(place["findings"]).map({ $0.code }) + added where !codes.contains(.string(code)) {
            codes.append(.string(code))
        }
        return codes
    }

    /// The places that do not say yet what holds of their key, as they are to be.
    static func corrected(_ places: [Document], _ reuse: KeyReuse?) -> [Document] {
        places.compactMap { place in
            guard place["keyReuse"]?.text != reuse?.rawValue, case .object(var body) = place.body else { return nil }
            body["keyReuse"] = reuse.map { .string($0.rawValue) }
            // Of places of certificates alone.
            guard place["certificate"] != nil else { return Document(place.id, .object(body)) }
            body["codes"] = .array(codes(.object(body)))
            return Document(place.id, .object(body))
        }
    }
}
