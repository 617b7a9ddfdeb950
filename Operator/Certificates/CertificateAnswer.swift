/// A certificate at a place, as `/v1/certificates` has it.
struct CertificateAnswer: Decodable {
    struct Finding: Decodable {
        let code: String
        let severity: String
        let detail: String?
        let why: String?
        let fix: String?
    }

    let id: String
    let device: String
    let path: String
    let subject: String
    let issuer: String
    let chain: [String]
    let status: String
    let validity: String
    let notAfter: String?
    let daysLeft: Int64?
    let score: Int64?
    let findings: [Finding]
    let source: String
    let responseTime: Double?
    let protocolName: String?
    let cipher: String?
    let stapled: String?

    enum CodingKeys: String, CodingKey {
        case id, device, path, subject, issuer, chain, status, validity, score, findings, source, cipher, stapled
        case protocolName = "protocol"
        case responseTime = "response_time"
        case notAfter = "not_after"
        case daysLeft = "days_left"
    }

    static let titles = ["STATUS", "VALIDITY", "DAYS", "SCORE", "DEVICE", "PATH", "SUBJECT", "FINDINGS", "ID"]

    static let servedTitles = ["SERVED BY", "DEVICE", "PROTOCOL", "CIPHER", "STAPLED OCSP", "ANSWERED IN"]

    /// How an endpoint served it; nil for a file.
    var servedRow: [String]? {
        guard source == "endpoint" else { return nil }
        let time = responseTime.map { "\(Int(($0 * 1000).rounded())) ms" }
        return [path, device, protocolName ?? "-", cipher ?? "-", stapled ?? "-", time ?? "-"]
    }

    /// Short enough to be read, long enough to be the only one.
    var row: [String] {
        let codes = findings.filter { $0.severity != "note" }.map { $0.code }
        return [
            status, validity, daysLeft.map(String.init) ?? "-", score.map(String.init) ?? "-", device, path, subject,
            codes.isEmpty ? "-" : codes.joined(separator: ","), id,
        ]
    }
}

/// How many devices and certificates there are at a site or in a group.
struct LabelAnswer: Decodable {
    let name: String
    let devices: Int
    let certificates: Int

    static func line(_ title: String, _ counts: [LabelAnswer]) -> String? {
        guard counts.contains(where: { !$0.name.isEmpty }) else { return nil }
        let texts = counts.map { ($0.name.isEmpty ? "(none)" : $0.name) + ": " + count($0.certificates, $0.devices) }
        return Table.printable(title + "  " + texts.joined(separator: "; "))
    }

    static func count(_ certificates: Int, _ devices: Int) -> String {
        "\(certificates) certificate\(certificates == 1 ? "" : "s") on \(devices) device\(devices == 1 ? "" : "s")"
    }
}
