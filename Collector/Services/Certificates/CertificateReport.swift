import CollectorIngest
import DocumentStores
import LinuxDriver

/// One part of a device's report on a scan for certificates, read from its document.
struct CertificateReport {
    /// Parts of a scan; each is up to 64 KiB.
    static let partsMax = 4_096
    /// Problems of a scan that are kept, and the characters of their texts: their document must stay one that can be read back.
    static let problemsMax = 100
    static let problemCharactersMax = 400

    /// When the scan was made, by the device's clock (milliseconds since 1970); also its name.
    let scan: Int64
    let part: Int64
    let parts: Int64
    let certificates: [ReportedCertificate]
    let problems: [JSONValue]

    init(_ body: JSONValue) throws(Refusal) {
        guard let scan = body["scan"]?.integer, scan >= 0 else { throw Self.refusal("scan is no time") }
        guard let parts = body["parts"]?.integer, (1...Int64(Self.partsMax)).contains(parts) else { throw Self.refusal("parts is out of range") }
        guard let part = body["part"]?.integer, (1...parts).contains(part) else { throw Self.refusal("part is out of range") }
        guard let certificates = body["certificates"]?.array else { throw Self.refusal("certificates is no array") }
        self.scan = scan
        self.part = part
        self.parts = parts
        var reported: [ReportedCertificate] = []
        for certificate in certificates { reported.append(try ReportedCertificate(certificate)) }
        self.certificates = reported
        problems = (body["problems"]?.array ?? []).prefix(Self.problemsMax).map(Self.problem)
    }

    private static func problem(_ reported: JSONValue) -> JSONValue {
        func cut(_ name: String) -> JSONValue {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: (reported[name]?.text ?? "").unicodeScalars.prefix(problemCharactersMax))
            return .string(String(text))
        }
        return ["path": cut("path"), "reason": cut("reason")]
    }

    static func refusal(_ detail: String) -> Refusal { Refusal(.badDocument, "certificate_report: " + detail) }
}

/// A certificate as a device found it: facts of the certificate itself, and what holds only on that device.
struct ReportedCertificate {
    let id: String
    let path: String
    let subject: String
    let notBefore: Int64?
    let notAfter: Int64?
    let isTrusted: Bool
    private let body: JSONValue

    init(_ body: JSONValue) throws(Refusal) {
        guard let id = body["id"]?.text, id.utf8.count == 64, id.utf8.allSatisfy(Self.isHexadecimal) else {
            throw CertificateReport.refusal("a certificate's id is no SHA-256 in lower-case hexadecimal")
        }
        guard let path = body["path"]?.text, !path.isEmpty else { throw CertificateReport.refusal("a certificate has no path") }
        guard let isTrusted = body["trusted"]?.bool else { throw CertificateReport.refusal("a certificate's trusted is no Boolean") }
        self.id = id
        self.path = path
        self.isTrusted = isTrusted
        subject = body["subject"]?.text ?? ""
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

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    // MARK: As documents

    /// What is the same wherever the certificate lies, for the collection `certificates`.
    func facts() -> Document {
        let names = (body["names"]?.array ?? []).filter { $0.text != nil }
        var facts: [String: JSONValue] = [
            "id": .string(id), "domain": names.first ?? .string(subject), "subject": .string(subject), "names": .array(names),
            "is_authority": .bool(body["is_authority"]?.bool ?? false), "key_bits": .integer(body["key_bits"]?.integer ?? 0),
        ]
        for name in ["issuer", "serial", "key_algorithm", "signature_algorithm"] { facts[name] = .string(body[name]?.text ?? "") }
        if let notBefore { facts["notBefore"] = .integer(notBefore) }
        if let notAfter { facts["expiryDate"] = .integer(notAfter) }
        return Document(id, .object(facts))
    }

    /// The chain's ids that are kept; longer ones are not valid.
    private static let chainMax = 16

    /// What agents of an older version do not report is left out.
    private func addAssessment(to place: inout [String: JSONValue]) {
        place["findings"] = .array(ReportedFinding.list(body["findings"]).map { $0.json })
        if let score = body["score"]?.integer, (0...100).contains(score) { place["score"] = .integer(score) }
        if let key = body["key_id"]?.text, key.utf8.count == 64, key.utf8.allSatisfy(Self.isHexadecimal) { place["keyId"] = .string(key) }
        if body["has_key"]?.bool == true { place["hasKey"] = true }
        let chain = (body["chain"]?.array ?? []).prefix(Self.chainMax).compactMap { $0.text }
        place["chain"] = .array(chain.filter { $0.utf8.count == 64 && $0.utf8.allSatisfy(Self.isHexadecimal) }.map { .string($0) })
        for (name, known) in [("profile", ["webpki", "device"]), ("role", ["leaf", "intermediate", "root"])] {
            if let text = body[name]?.text, known.contains(text) { place[name] = .string(text) }
        }
    }

    /// That it lies there, for the collection `certificatePlaces`. No `|` is in a device's id or a hash, so the ids of places are distinct.
    func place(on device: String, scan: Int64, seenAt: Int64) -> Document {
        var place: [String: JSONValue] = [
            "device": .string(device), "path": .string(path), "certificate": .string(id), "subject": .string(subject), "trusted": .bool(isTrusted),
            "scan": .integer(scan), "seenAt": .integer(seenAt),
        ]
        if let notBefore { place["notBefore"] = .integer(notBefore) }
        if let notAfter { place["notAfter"] = .integer(notAfter) }
        if let error = body["trust_error"]?.text { place["trustError"] = .string(error) }
        if let time = body["validation_time"]?.number { place["validationTime"] = .number(time) }
        addAssessment(to: &place)
        return Document(device + "|" + id + "|" + path, .object(place))
    }
}
