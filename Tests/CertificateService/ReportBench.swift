import CacheStores
import CertificateService
import CollectorFixtures
import CollectorIngest
import DocumentStores
import LinuxDriver
import TimeSeriesStores

/// The service on embedded stores in a scratch directory, and reports for it.
final class ReportBench: Sendable {
    static let day: Int64 = 86_400_000

    private let scratch = ScratchDirectory()
    let documents: EmbeddedDocumentStore
    let store: EmbeddedTimeSeriesStore
    let cache = MemoryCache()
    let service: CertificateService
    let now = SampleBatches.start

    init() throws {
        documents = try EmbeddedDocumentStore(directory: scratch.path)
        store = try EmbeddedTimeSeriesStore(directory: scratch.path)
        service = CertificateService(documents: documents, store: store, cache: cache)
    }

    /// A certificate's id is made of one digit.
    func id(_ digit: Character) -> String { String(repeating: digit, count: 64) }

    func certificate(
        _ digit: Character, path: String? = nil, subject: String? = nil, daysLeft: Int64 = 100, trusted: Bool = true
    ) -> JSONValue {
        [
            "id": .string(id(digit)), "path": .string(path ?? "/etc/ssl/\(digit).pem"), "subject": .string(subject ?? "CN=\(digit)"),
            "issuer": "CN=ca", "names": .array([.string("\(digit).example")]), "serial": "0a", "key_algorithm": "RSA", "key_bits": 2048,
            "signature_algorithm": "sha256", "trusted": .bool(trusted), "trust_error": trusted ? nil : "self-signed", "is_authority": false,
            "not_before": .string(Timestamp.text(now - 300 * Self.day)), "not_after": .string(Timestamp.text(now + daysLeft * Self.day)),
            "status": "ok", "days_left": 5, "validation_time": 0.001,
        ]
    }

    /// With what an agent says beyond the certificate's own words.
    func assessed(
        _ digit: Character, path: String? = nil, subject: String? = nil, daysLeft: Int64 = 100, chain: [Character] = [], key: Character? = nil,
        hasKey: Bool = false, role: String = "leaf", isServed: Bool = false, findings: [JSONValue] = []
    ) -> JSONValue {
        guard case .object(var members) = certificate(digit, path: path, subject: subject, daysLeft: daysLeft) else { return .null }
        members["score"] = findings.isEmpty ? 99 : 84
        members["findings"] = .array(findings)
        members["chain"] = .array(chain.map { .string(id($0)) })
        members["role"] = .string(role)
        members["is_authority"] = .bool(role != "leaf")
        members["has_key"] = .bool(hasKey)
        members["profile"] = "device"
        if let key { members["key_id"] = .string(id(key)) }
        if isServed {
            members["endpoint"] = members["path"]
            members["response_time"] = 0.25
        }
        return .object(members)
    }

    func report(
        _ scan: Int64, _ certificates: [JSONValue], part: Int64 = 1, parts: Int64 = 1, authorities: [JSONValue] = [],
        keys: [(key: Character, path: String)]? = nil, device: String = "edge-1"
    ) async throws {
        var body: [String: JSONValue] = [
            "type": "certificate_report", "scan": .integer(scan), "at": .string(Timestamp.text(now)), "part": .integer(part),
            "parts": .integer(parts), "certificates": .array(certificates), "authorities": .array(authorities),
            "problems": [["path": "/x", "reason": "y"]],
        ]
        if let keys { body["keys"] = .array(keys.map { ["key_id": .string(id($0.key)), "path": .string($0.path)] }) }
        try await service.receive(
            ReceivedDocument(device: SampleBatches.device(device), type: "certificate_report", body: .object(body), sealedAt: now, receivedAt: now))
    }
}
