import CertificateService
import CollectorFixtures
import CollectorIngest
import DocumentStores
import LinuxDriver
import Telemetry
import Testing

@Suite struct CertificateServiceTests {
    private let scratch = ScratchDirectory()
    private let documents: EmbeddedDocumentStore
    private let service: CertificateService
    private let device = SampleBatches.device()
    private let now = SampleBatches.start
    private static let day: Int64 = 86_400_000

    init() throws {
        documents = try EmbeddedDocumentStore(directory: scratch.path)
        service = CertificateService(documents: documents)
    }

    /// A certificate of a report: its id is made of one digit.
    private func certificate(_ digit: Character, path: String? = nil, daysLeft: Int64 = 100, trusted: Bool = true) -> JSONValue {
        [
            "id": .string(String(repeating: digit, count: 64)), "path": .string(path ?? "/etc/ssl/\(digit).pem"), "subject": .string("CN=\(digit)"),
            "issuer": "CN=ca", "names": .array([.string("\(digit).example")]), "serial": "0a", "key_algorithm": "RSA", "key_bits": 2048,
            "signature_algorithm": "sha256", "trusted": .bool(trusted), "trust_error": trusted ? nil : "self-signed", "is_authority": false,
            "not_before": .string(Timestamp.text(now - 300 * Self.day)), "not_after": .string(Timestamp.text(now + daysLeft * Self.day)),
            "status": "ok", "days_left": 5, "validation_time": 0.001,
        ]
    }

    private func report(
        _ scan: Int64, _ certificates: [JSONValue], part: Int64 = 1, parts: Int64 = 1, device: String = "edge-1"
    ) async throws {
        let body: JSONValue = [
            "type": "certificate_report", "scan": .integer(scan), "at": .string(Timestamp.text(now)), "part": .integer(part),
            "parts": .integer(parts), "certificates": .array(certificates), "problems": [["path": "/x", "reason": "y"]],
        ]
        try await service.receive(
            ReceivedDocument(device: SampleBatches.device(device), type: "certificate_report", body: body, sealedAt: now, receivedAt: now))
    }

    private func paths() async throws -> [String] { try await service.certificates(of: device, at: now).map { $0.path } }

    @Test func `a certificate is told with its facts and its place`() async throws {
        try await report(10, [certificate("a", daysLeft: 12, trusted: false)])
        let found = try #require(try await service.certificates(at: now).first)
        #expect(found.device == "edge-1" && found.path == "/etc/ssl/a.pem" && found.subject == "CN=a" && found.issuer == "CN=ca")
        #expect(found.names == ["a.example"] && found.keyBits == 2048 && found.trustError == "self-signed" && found.seenAt == 10)
        #expect(found.status(at: now) == .untrusted && found.daysLeft(at: now) == 12)
        #expect(try await documents.find(DocumentQuery([.equals("domain", "a.example")]), in: .certificates).count == 1)
    }

    @Test func `what another collector has written is told as soon as this one knows of it`() async throws {
        try await report(10, [certificate("a", daysLeft: 100)])
        func worst() async throws -> String? { try await service.worst(of: [device], at: now)[device]?.path }
        #expect(try await worst() == "/etc/ssl/a.pem")
        let other = CertificateService(documents: documents)
        let found = [certificate("a", daysLeft: 100), certificate("b", daysLeft: 1)]
        let body: JSONValue = ["type": "certificate_report", "scan": 11, "part": 1, "parts": 1, "certificates": .array(found), "problems": []]
        try await other.receive(ReceivedDocument(device: device, type: "certificate_report", body: body, sealedAt: now, receivedAt: now))
        #expect(try await worst() == "/etc/ssl/a.pem")
        await service.changedByOthers([device.text])
        #expect(try await worst() == "/etc/ssl/b.pem")
        try await documents.apply([.deleteAll([], in: .certificatePlaces)])
        await service.changedByOthers(nil)
        #expect(try await worst() == nil)
    }

    @Test func `the same report twice changes nothing`() async throws {
        try await report(10, [certificate("a")])
        let once = try await service.certificates(at: now)
        let scans = try await documents.find(DocumentQuery(), in: .certificateScans)
        try await report(10, [certificate("a")])
        #expect(try await service.certificates(at: now) == once)
        #expect(try await documents.find(DocumentQuery(), in: .certificateScans) == scans)
    }

    @Test func `endless problems are cut to what can be read back`() async throws {
        let problem: JSONValue = ["path": .string(String(repeating: "\u{1}", count: 9_000)), "reason": "r"]
        for part in 1...20 as ClosedRange<Int64> {
            let body: JSONValue = [
                "scan": 10, "part": .integer(part), "parts": 20, "certificates": [], "problems": .array([JSONValue](repeating: problem, count: 50)),
            ]
            try await service.receive(
                ReceivedDocument(device: device, type: "certificate_report", body: body, sealedAt: now, receivedAt: now))
        }
        let scan = try #require(try await documents.get(device.text, in: .certificateScans))
        #expect(scan["seen"]?.array?.count == 20 && scan["problems"]?.array?.count == 100)
    }

    @Test func `places go when a newer scan is complete, not before`() async throws {
        try await report(10, [certificate("a"), certificate("b")])
        try await report(20, [certificate("a")], part: 1, parts: 2)
        #expect(try await paths().count == 2)
        try await report(20, [certificate("c")], part: 2, parts: 2)
        #expect(Set(try await paths()) == ["/etc/ssl/a.pem", "/etc/ssl/c.pem"])
    }

    @Test func `parts come in any order`() async throws {
        try await report(10, [certificate("a")])
        for part in [3, 1, 3, 2] as [Int64] { try await report(20, [certificate(Character("\(part)"))], part: part, parts: 3) }
        #expect(Set(try await paths()) == ["/etc/ssl/1.pem", "/etc/ssl/2.pem", "/etc/ssl/3.pem"])
    }

    @Test func `an older scan that arrives late changes nothing`() async throws {
        try await report(20, [certificate("a", trusted: false)])
        try await report(10, [certificate("a"), certificate("b")])
        #expect(try await paths() == ["/etc/ssl/a.pem"])
        #expect(try await service.certificates(at: now).first?.isTrusted == false)
    }

    @Test func `one device's scans don't touch another's`() async throws {
        try await report(10, [certificate("a")], device: "edge-2")
        try await report(20, [])
        #expect(try await service.certificates(at: now).map { $0.device } == ["edge-2"])
    }

    @Test func `certificates come soonest expiry first, by device and status`() async throws {
        try await report(10, [certificate("a", daysLeft: 50), certificate("b", daysLeft: 5), certificate("c", daysLeft: -1)])
        #expect(try await paths() == ["/etc/ssl/c.pem", "/etc/ssl/b.pem", "/etc/ssl/a.pem"])
        #expect(try await service.certificates(status: .expiring, at: now).map { $0.subject } == ["CN=b"])
        #expect(try await service.certificates(of: SampleBatches.device("other"), at: now).isEmpty)
    }

    @Test func `the worst is kept up to date with reports and with time`() async throws {
        let other = SampleBatches.device("other")
        try await report(10, [certificate("a", daysLeft: 40), certificate("b", daysLeft: 50, trusted: false)])
        #expect(try await service.worst(of: [device, other], at: now)[device]?.subject == "CN=b")
        #expect(try await service.worst(of: [device, other], at: now)[other] == nil)
        #expect(try await service.worst(of: [device], at: now + 45 * Self.day)[device]?.subject == "CN=a")
        try await report(20, [certificate("c")])
        #expect(try await service.worst(of: [device], at: now)[device]?.subject == "CN=c")
    }

    @Test(
        arguments: [
            (-1, true, CertificateStatus.expired), (0, true, .expiring), (30, true, .expiring), (31, true, .ok), (31, false, .untrusted),
            (5, false, .untrusted), (-1, false, .expired),
        ] as [(Int64, Bool, CertificateStatus)])
    func `a certificate is judged when it is asked for`(daysLeft: Int64, trusted: Bool, expected: CertificateStatus) {
        let notAfter = daysLeft * Self.day
        #expect(CertificateStatus.judge(notBefore: .min, notAfter: notAfter, isTrusted: trusted, at: 0) == expected)
        #expect(CertificateStatus.judge(notBefore: 1, notAfter: notAfter, isTrusted: trusted, at: 0) == (daysLeft < 0 ? .expired : .notYetValid))
        #expect(CertificateStatus.judge(notBefore: nil, notAfter: notAfter, isTrusted: trusted, at: 0) == .untrusted)
    }

    @Test(arguments: [
        "{}", #"{"scan":1}"#, #"{"scan":"1","part":1,"parts":1,"certificates":[]}"#, #"{"scan":1,"part":2,"parts":1,"certificates":[]}"#,
        #"{"scan":1,"part":1,"parts":100000,"certificates":[]}"#, #"{"scan":1,"part":1,"parts":1,"certificates":[{}]}"#,
        #"{"scan":1,"part":1,"parts":1,"certificates":[{"id":"x","path":"/a","trusted":true}]}"#, #"{"scan":1,"part":1,"parts":1,"certificates":1}"#,
    ])
    func `a report that is not what it promises is refused`(json: String) async throws {
        let body = try JSONParser.parse(json)
        await #expect(throws: Refusal.self) {
            try await service.receive(ReceivedDocument(device: device, type: "certificate_report", body: body, sealedAt: 0, receivedAt: 0))
        }
    }

    @Test func `a certificate whose dates cannot be read is untrusted, not lost`() async throws {
        guard case .object(var members) = certificate("a") else { return }
        members["not_before"] = .null
        members["not_after"] = .null
        try await report(10, [.object(members)])
        let found = try #require(try await service.certificates(at: now).first)
        #expect(found.status(at: now) == .untrusted && found.daysLeft(at: now) == nil)
    }

    /// A certificate with what newer agents tell.
    private func assessed(
        _ digit: Character, daysLeft: Int64, chain: [Character] = [], key: Character, hasKey: Bool = false, findings: [JSONValue] = []
    ) -> JSONValue {
        guard case .object(var members) = certificate(digit, daysLeft: daysLeft) else { return .null }
        members["chain"] = .array(chain.map { .string(String(repeating: $0, count: 64)) })
        members["key_id"] = .string(String(repeating: key, count: 64))
        members["has_key"] = .bool(hasKey)
        members["findings"] = .array(findings)
        members["score"] = 84
        members["profile"] = "device"
        members["role"] = "leaf"
        return .object(members)
    }

    private func id(_ digit: Character) -> String { String(repeating: digit, count: 64) }

    @Test func `findings and score are kept, and found by`() async throws {
        let weak: JSONValue = ["code": "weak_key", "severity": "critical", "detail": "x"]
        try await report(10, [assessed("a", daysLeft: 50, key: "1", findings: [weak]), assessed("b", daysLeft: 5, key: "2")])
        var filter = CertificateFilter()
        filter.finding = "weak_key"
        let found = try await service.certificates(filter, at: now)
        #expect(found.map(\.subject) == ["CN=a"] && found[0].score == 84 && found[0].findings.map(\.severity) == ["critical"])
        filter = CertificateFilter()
        filter.endsBefore = now + 10 * Self.day
        #expect(try await service.certificates(filter, at: now).map(\.subject) == ["CN=b"])
        filter = CertificateFilter()
        filter.key = id("1")
        #expect(try await service.certificates(filter, at: now).map(\.subject) == ["CN=a"])
        filter = CertificateFilter()
        filter.issuer = "CN=ca"
        #expect(try await service.certificates(filter, at: now).count == 2)
        filter.issuer = "CN=another"
        #expect(try await service.certificates(filter, at: now).isEmpty)
    }

    @Test func `what stops with an authority is known, and on which day`() async throws {
        try await report(10, [assessed("a", daysLeft: 300, chain: ["c", "d"], key: "1"), assessed("c", daysLeft: 20, chain: ["d"], key: "3")])
        try await report(10, [assessed("b", daysLeft: 7, chain: ["d"], key: "2")], device: "edge-2")
        let inventory = try await service.inventory(at: now)
        #expect(inventory.dependents(of: id("d")).devices == ["edge-1", "edge-2"])
        let below = inventory.dependents(of: id("c"))
        #expect(below.devices == ["edge-1"] && below.subject == "CN=c" && below.notAfter == now + 20 * Self.day)
        let days = inventory.calendar(now..<now + 100 * Self.day)
        #expect(days.map { $0.certificates.map(\.subject).sorted() } == [["CN=b"], ["CN=a", "CN=c"]])
        #expect(days.map(\.day) == [7, 20].map { (now + $0 * Self.day) / Self.day })
    }

    @Test func `a private key on two devices is critical, one key in two certificates a problem`() async throws {
        try await report(10, [assessed("a", daysLeft: 9, key: "1", hasKey: true), assessed("b", daysLeft: 9, key: "2")])
        try await report(10, [assessed("a", daysLeft: 9, key: "1", hasKey: true), assessed("c", daysLeft: 9, key: "2")], device: "edge-2")
        try await report(10, [assessed("e", daysLeft: 9, key: "4", hasKey: true)], device: "edge-3")
        let keys = try await service.inventory(at: now).sharedKeys()
        #expect(keys.map(\.severity) == ["critical", "problem"])
        #expect(keys[0].holders == ["edge-1", "edge-2"] && keys[1].certificates == [id("b"), id("c")] && keys[1].holders.isEmpty)
    }

    @Test func `what makes no sense in a report is left out`() async throws {
        guard case .object(var members) = assessed("a", daysLeft: 9, key: "1") else { return }
        members["score"] = 101
        members["key_id"] = "short"
        members["chain"] = .array([.string("x"), 7])
        members["role"] = "emperor"
        members["findings"] = .array([7, ["severity": "critical"]])
        try await report(10, [.object(members)])
        let found = try #require(try await service.certificates(at: now).first)
        #expect(found.score == nil && found.keyId.isEmpty && found.chain.isEmpty && found.role.isEmpty && found.findings.isEmpty)
    }
}
