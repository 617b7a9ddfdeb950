import CollectorIngest
import DocumentStores

/// A private key that a device has without a certificate beside it, known by its public half.
struct ReportedKey {
    /// Keys that a part may tell of.
    static let countMax = 512

    let id: String
    let path: String

    init(_ body: JSONValue) throws(Refusal) {
        guard let id = body["key_id"]?.text, ReportedCertificate.isHash(id) else {
            throw CertificateReport.refusal("a key's key_id is no SHA-256 in lower-case hexadecimal")
        }
        guard let path = body["path"]?.text, !path.isEmpty else { throw CertificateReport.refusal("a key has no path") }
        self.id = id
        self.path = CertificateReport.cut(path)
    }

    func placeId(on device: String) -> String { device + "|" + id + "|" + path }

    /// That it lies there, for the collection `keyPlaces`.
    /// - Parameter earlier: what was known of the place; what the fleet makes of it holds until it is looked at again.
    func place(on device: String, scan: Int64, earlier: Document?) -> Document {
        var place: [String: JSONValue] = [
            "device": .string(device), "path": .string(path), "keyId": .string(id), "hasKey": true, "scan": .integer(scan), "seenAt": .integer(scan),
        ]
        if let known = earlier?["keyReuse"] { place["keyReuse"] = known }
        return Document(placeId(on: device), .object(place))
    }
}
