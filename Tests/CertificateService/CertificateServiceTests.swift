import CertificateService
import CollectorFixtures
import CollectorIngest
import DocumentStores
import LinuxDriver
import Telemetry
import Testing

@Suite struct CertificateServiceTests {
    private let bench: ReportBench
    private var documents: EmbeddedDocumentStore { bench.documents }
    private var service: CertificateService { bench.service }
    private let device = SampleBatches.device()
    private let now = SampleBatches.start
    private static let day: Int64 = 86_400_000

    init() throws { bench = try ReportBench() }

    private func certificate(_ digit: Character, path: String? = nil, daysLeft: Int64 = 100, trusted: Bool = true) -> JSONValue {
        bench.certificate(digit, path: path, daysLeft: daysLeft, trusted: trusted)
    }

    private func report(_ scan: Int64, _ certificates: [JSONValue], part: Int64 = 1, parts: Int64 = 1, device: String = "edge-1") async throws {
        try await bench.report(scan, certificates, part: part, parts: parts, device: device)
    }

    private func paths() async throws -> [String] { try await service.certificates(of: device, at: now).map { $0.path } }
    private func certificates() async throws -> [CertificateAtPlace] { try await service.page(CertificateQuestion(), at: now).certificates }

    @Test func `a certificate is told with its facts and its place`() async throws {
        try await report(10, [certificate("a", daysLeft: 12, trusted: false)])
        let found = try #require(try await certificates().first)
        #expect(found.device == "edge-1" && found.path == "/etc/ssl/a.pem" && found.subject == "CN=a" && found.issuer == "CN=ca")
        #expect(found.names == ["a.example"] && found.keyBits == 2048 && found.trustError == "self-signed" && found.seenAt == 10)
        #expect(found.validity(at: now) == .untrusted && found.daysLeft(at: now) == 12)
        #expect(try await documents.find(DocumentQuery([.equals("domain", "a.example")]), in: .certificates).count == 1)
    }

    @Test func `what another collector has written is told as soon as this one knows of it`() async throws {
        try await report(10, [certificate("a", daysLeft: 100)])
        func worst() async throws -> String? { try await service.worst(of: [device], at: now)[device]?.path }
        #expect(try await worst() == "/etc/ssl/a.pem")
        let other = CertificateService(documents: documents, store: bench.store, cache: bench.cache)
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
        let once = try await certificates()
        let scans = try await documents.find(DocumentQuery(), in: .certificateScans)
        try await report(10, [certificate("a")])
        #expect(try await certificates() == once)
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
        #expect(try await certificates().first?.isTrusted == false)
    }

    @Test func `one device's scans don't touch another's`() async throws {
        try await report(10, [certificate("a")], device: "edge-2")
        try await report(20, [])
        #expect(try await certificates().map { $0.device } == ["edge-2"])
    }

    @Test func `certificates come soonest expiry first, by device and status`() async throws {
        try await report(10, [certificate("a", daysLeft: 50), certificate("b", daysLeft: 5), certificate("c", daysLeft: -1)])
        #expect(try await paths() == ["/etc/ssl/c.pem", "/etc/ssl/b.pem", "/etc/ssl/a.pem"])
        var question = CertificateQuestion()
        for (status, subjects) in [(.expiring, ["CN=b"]), (.expired, ["CN=c"]), (.ok, ["CN=a"]), (.untrusted, [])]
            as [(CertificateValidity, [String])]
        {
            question.validity = status
            #expect(try await service.page(question, at: now).certificates.map { $0.subject } == subjects)
        }
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
            (-1, true, CertificateValidity.expired), (0, true, .expiring), (30, true, .expiring), (31, true, .ok), (31, false, .untrusted),
            (5, false, .untrusted), (-1, false, .expired),
        ] as [(Int64, Bool, CertificateValidity)])
    func `a certificate is judged when it is asked for`(daysLeft: Int64, trusted: Bool, expected: CertificateValidity) {
        let notAfter = daysLeft * Self.day
        #expect(CertificateValidity.judge(notBefore: .min, notAfter: notAfter, isTrusted: trusted, at: 0) == expected)
        #expect(CertificateValidity.judge(notBefore: 1, notAfter: notAfter, isTrusted: trusted, at: 0) == (daysLeft < 0 ? .expired : .notYetValid))
        #expect(CertificateValidity.judge(notBefore: nil, notAfter: notAfter, isTrusted: trusted, at: 0) == .untrusted)
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
        let found = try #require(try await certificates().first)
        #expect(found.validity(at: now) == .untrusted && found.daysLeft(at: now) == nil)
    }
}
