import CollectorIngest
import DocumentStores
import LinuxDriver

/// One part of a device's report on a scan for certificates, read from its document.
struct CertificateReport {
    /// Parts of a scan; each is up to 64 KiB.
    static let partsMax = 4_096
    /// Issuers that a part may tell of.
    static let authoritiesMax = 256
    /// Problems of a scan that are kept, and the characters of their texts: their document must stay one that can be read back.
    static let problemsMax = 100
    static let problemCharactersMax = 400

    /// When the scan was made, by the device's clock (milliseconds since 1970); also its name.
    let scan: Int64
    let part: Int64
    let parts: Int64
    let certificates: [ReportedCertificate]
    /// Issuers that lie in no file that was looked at.
    let authorities: [ReportedCertificate]
    let problems: [JSONValue]
    /// Private keys without a certificate beside them.
    let keys: [ReportedKey]

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
        var authorities: [ReportedCertificate] = []
        for authority in (body["authorities"]?.array ?? []).prefix(Self.authoritiesMax) {
            authorities.append(try ReportedCertificate(issuer: authority))
        }
        self.authorities = authorities
        var keys: [ReportedKey] = []
        for key in (body["keys"]?.array ?? []).prefix(ReportedKey.countMax) { keys.append(try ReportedKey(key)) }
        self.keys = keys
        problems = (body["problems"]?.array ?? []).prefix(Self.problemsMax).map(Self.problem)
    }

    private static func problem(_ reported: JSONValue) -> JSONValue {
        func text(_ name: String) -> JSONValue { .string(cut(reported[name]?.text ?? "")) }
        return ["path": text("path"), "reason": text("reason")]
    }

    static func cut(_ text: String) -> String {
        var short = String.UnicodeScalarView()
        short.append(contentsOf: text.unicodeScalars.prefix(problemCharactersMax))
        return String(short)
    }

    static func refusal(_ detail: String) -> Refusal { Refusal(.badDocument, "certificate_report: " + detail) }
}
