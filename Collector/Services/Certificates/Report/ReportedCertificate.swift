import CollectorIngest
import DocumentStores
import LinuxDriver
import TimeSeriesStores

/// A certificate as a device found it: facts of the certificate itself, and what holds only on that device.
struct ReportedCertificate {
    /// The chain's ids that are kept; longer ones are not valid.
    private static let chainMax = 16
    /// The longest name of a cipher suite has 45.
    private static let handshakeCharactersMax = 64

    let id: String
    /// A file's path, or `HOST:PORT` of what serves it. Empty for an issuer that lies nowhere.
    let path: String
    let isServed: Bool
    let isTrusted: Bool
    private let notBefore: Int64?
    private let notAfter: Int64?
    private let body: JSONValue

    init(_ body: JSONValue) throws(Refusal) {
        guard let path = body["path"]?.text, !path.isEmpty else { throw CertificateReport.refusal("a certificate has no path") }
        guard let isTrusted = body["trusted"]?.bool else { throw CertificateReport.refusal("a certificate's trusted is no Boolean") }
        try self.init(body, path: path, isTrusted: isTrusted)
    }

    init(issuer body: JSONValue) throws(Refusal) { try self.init(body, path: "", isTrusted: false) }

    private init(_ body: JSONValue, path: String, isTrusted: Bool) throws(Refusal) {
        guard let id = body["id"]?.text, Self.isHash(id) else {
            throw CertificateReport.refusal("a certificate's id is no SHA-256 in lower-case hexadecimal")
        }
        self.id = id
        self.path = path
        self.isTrusted = isTrusted
        isServed = body["endpoint"]?.text?.isEmpty == false
        notBefore = try Self.time(body["not_before"], "not_before")
        notAfter = try Self.time(body["not_after"], "not_after")
        self.body = body
    }

    /// RFC 3339, or null for a certificate whose dates cannot be read.
    private static func time(_ value: JSONValue?, _ name: String) throws(Refusal) -> Int64? {
        guard let value, value != .null else { return nil }
        guard let time = value.text.flatMap(Timestamp.parse) else { throw CertificateReport.refusal(name + " is no RFC 3339 timestamp") }
        return time
    }

    static func isHash(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
    }

    private var keyId: String? { body["key_id"]?.text.flatMap { Self.isHash($0) ? $0 : nil } }
    /// The key of a leaf, or whose private half lies beside it.
    var reusableKey: String? { body["role"]?.text == "leaf" || body["has_key"]?.bool == true ? keyId : nil }
    private var score: Int64? { body["score"]?.integer.flatMap { (0...100).contains($0) ? $0 : nil } }
    private var findings: [ReportedFinding] { ReportedFinding.list(body["findings"]) }
    private func seconds(_ name: String) -> Double? { body[name]?.number.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil } }

    // MARK: As documents

    /// What is the same wherever the certificate lies, for the collection `certificates`.
    func facts() -> [String: JSONValue] {
        let names = (body["names"]?.array ?? []).filter { $0.text != nil }
        let subject = body["subject"]?.text ?? ""
        // Empty names are nobody's domain.
        let domain = names.first { $0.text?.isEmpty == false } ?? .string(subject)
        var facts: [String: JSONValue] = [
            "id": .string(id), "domain": domain, "subject": .string(subject), "names": .array(names),
            "is_authority": .bool(body["is_authority"]?.bool ?? path.isEmpty), "key_bits": .integer(body["key_bits"]?.integer ?? 0),
        ]
        for name in ["issuer", "serial", "key_algorithm", "signature_algorithm"] { facts[name] = .string(body[name]?.text ?? "") }
        if let keyId { facts["keyId"] = .string(keyId) }
        if let notBefore { facts["notBefore"] = .integer(notBefore) }
        if let notAfter { facts["expiryDate"] = .integer(notAfter) }
        return facts
    }

    /// No `|` is in a device's id or a hash, so the ids of places are distinct.
    func placeId(on device: String) -> String { device + "|" + id + "|" + path }

    /// That it lies there, for the collection `certificatePlaces`.
    /// - Parameter earlier: what was known of the place.
    func place(on device: String, scan: Int64, earlier: Document?) -> Document {
        var place: [String: JSONValue] = [
            "device": .string(device), "path": .string(path), "certificate": .string(id), "subject": .string(body["subject"]?.text ?? ""),
            "issuer": .string(body["issuer"]?.text ?? ""), "trusted": .bool(isTrusted), "scan": .integer(scan), "seenAt": .integer(scan),
            "firstSeen": .integer(min(scan, earlier?["firstSeen"]?.integer ?? scan)), "source": isServed ? "endpoint" : "file",
        ]
        if let notBefore { place["notBefore"] = .integer(notBefore) }
        if let notAfter { place["notAfter"] = .integer(notAfter) }
        if let error = body["trust_error"]?.text { place["trustError"] = .string(error) }
        for (name, key) in [("validation_time", "validationTime"), ("response_time", "responseTime")] {
            if let seconds = seconds(name) { place[key] = .number(seconds) }
        }
        addHandshake(to: &place)
        addAssessment(to: &place)
        // What the fleet makes of it holds until it is looked at again.
        for key in ["keyReuse", "servedOnly"] { if let known = earlier?[key] { place[key] = known } }
        place["codes"] = .array(KeyReuse.codes(.object(place)))
        return Document(placeId(on: device), .object(place))
    }

    /// How an endpoint served it.
    private func addHandshake(to place: inout [String: JSONValue]) {
        guard isServed else { return }
        for name in ["protocol", "cipher"] {
            if let text = body[name]?.text { place[name] = .string(String(text.prefix(Self.handshakeCharactersMax))) }
        }
        if let text = body["stapled"]?.text, ["none", "good", "revoked", "unusable"].contains(text) { place["stapled"] = .string(text) }
    }

    /// What agents of an older version do not report is left out.
    private func addAssessment(to place: inout [String: JSONValue]) {
        place["findings"] = .array(findings.map { $0.json })
        if let score { place["score"] = .integer(score) }
        if let keyId { place["keyId"] = .string(keyId) }
        if body["has_key"]?.bool == true { place["hasKey"] = true }
        let chain = (body["chain"]?.array ?? []).prefix(Self.chainMax).compactMap { $0.text }
        place["chain"] = .array(chain.filter(Self.isHash).map { .string($0) })
        for (name, known) in [("profile", ["webpki", "device"]), ("role", ["leaf", "intermediate", "root"])] {
            if let text = body[name]?.text, known.contains(text) { place[name] = .string(text) }
        }
    }

    // MARK: As measured

    /// Nil where the agent does not say.
    func validation(on device: String, scan: Int64) -> CertificateValidation? {
        guard let score, let time = seconds("validation_time") else { return nil }
        return CertificateValidation(
            certificate: id, place: placeId(on: device), validationTime: time, responseTime: seconds("response_time") ?? 0,
            securityScore: Double(score), at: scan)
    }

    /// What the cache has of the newest validation; `at` is milliseconds since 1970.
    func cachedValidation(on device: String, scan: Int64) -> JSONValue {
        [
            "at": .integer(scan), "device": .string(device), "path": .string(path), "trusted": .bool(isTrusted),
            "score": score.map { .integer($0) } ?? .null, "validation_time": seconds("validation_time").map { .number($0) } ?? .null,
            "response_time": seconds("response_time").map { .number($0) } ?? .null, "findings": .array(findings.map { $0.json }),
        ]
    }
}
