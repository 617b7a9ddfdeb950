import CertificateService
import CollectorFixtures
import CollectorIngest
import DocumentStores
import Testing

/// What only the whole fleet shows.
@Suite struct CertificateFleetTests {
    private let bench: ReportBench
    private var now: Int64 { bench.now }
    private static let day = ReportBench.day

    init() throws { bench = try ReportBench() }

    private func label(_ device: String, site: String, group: String) async throws {
        let body: JSONValue = [
            "deviceId": .string(device), "status": "online", "firstSeen": 1, "labels": ["site": .string(site), "group": .string(group)],
        ]
        try await bench.documents.upsert(Document(device, body), in: .devices)
    }

    /// Below the root d, which has 200 days: an intermediate c of 20, and leaves.
    private func fleet() async throws {
        try await label("edge-1", site: "north", group: "pumps")
        try await label("edge-2", site: "south", group: "pumps")
        let root: JSONValue = [
            "id": .string(bench.id("d")), "subject": "CN=d", "not_after": "2026-07-20T00:00:00Z", "not_before": "2020-01-01T00:00:00Z",
        ]
        try await bench.report(
            10,
            [
                bench.assessed("a", daysLeft: 300, chain: ["c", "d"]), bench.assessed("c", daysLeft: 20, chain: ["d"], role: "intermediate"),
                bench.assessed("e", daysLeft: 5, chain: ["c", "d"]),
            ], authorities: [root])
        try await bench.report(10, [bench.assessed("b", daysLeft: 250, chain: ["d"]), bench.assessed("f", daysLeft: 400)], device: "edge-2")
    }

    @Test func `what stops working with an authority is told by device, site and group`() async throws {
        try await fleet()
        let root = try #require(try await bench.service.blastRadius(of: bench.id("d")))
        #expect(root.subject == "CN=d" && root.notAfter == now + 200 * Self.day && !root.isCut)
        #expect(root.stopping.devices == ["edge-2"] && root.stopping.places.map { $0.subject } == ["CN=b"])
        // Those end with the intermediate, or by themselves.
        #expect(root.endingBefore.places.map { $0.subject }.sorted() == ["CN=a", "CN=e"])
        let intermediate = try #require(try await bench.service.blastRadius(of: bench.id("c")))
        #expect(intermediate.stopping.places.map { $0.subject } == ["CN=a"] && intermediate.endingBefore.places.map { $0.subject } == ["CN=e"])
        #expect(intermediate.stopping.sites == [LabelCount(name: "north", devices: 1, certificates: 1)])
        #expect(intermediate.stopping.groups == [LabelCount(name: "pumps", devices: 1, certificates: 1)])
        let leaf = try #require(try await bench.service.blastRadius(of: bench.id("f")))
        #expect(leaf.stopping.devices == ["edge-2"])
        #expect(try await bench.service.blastRadius(of: bench.id("9")) == nil)
    }

    @Test func `a calendar says what ends on which day, and because of whom`() async throws {
        try await fleet()
        let days = try await bench.service.calendar(now..<now + 365 * Self.day).days
        #expect(days.map { $0.day } == [5, 20, 200].map { now / Self.day + $0 })
        #expect(days.map { $0.ending.places.map { $0.subject }.sorted() } == [["CN=e"], ["CN=a", "CN=c"], ["CN=b"]])
        #expect(days[1].causes == [bench.id("a"): bench.id("c")] && days[0].causes.isEmpty && days[2].causes == [bench.id("b"): bench.id("d")])
        #expect(days[2].ending.sites == [LabelCount(name: "south", devices: 1, certificates: 1)])
        #expect(try await bench.service.calendar(now..<now + 4 * Self.day).days.isEmpty)
    }

    private func keys() async throws -> [String] {
        try await bench.service.reusedKeys().map { "\($0.reuse.rawValue) \($0.id.prefix(1)) \($0.devices.joined(separator: ","))" }
    }

    private func findings(_ digit: Character) async throws -> Set<String> {
        var question = CertificateQuestion()
        question.certificate = bench.id(digit)
        return Set(try await bench.service.page(question, at: now).certificates.flatMap { $0.findings.map { $0.code } })
    }

    @Test func `a private key that is seen on two devices is critical, wherever it is looked at`() async throws {
        try await bench.report(10, [bench.assessed("a", key: "1", hasKey: true)])
        #expect(try await keys() == [])
        #expect(try await findings("a") == [])
        try await bench.report(10, [bench.assessed("b", key: "1", hasKey: true)], device: "edge-2")
        #expect(try await keys() == ["critical 1 edge-1,edge-2"])
        #expect(try await findings("a") == ["key_on_several_devices"])
        #expect(try await findings("b") == ["key_on_several_devices"])
        var question = CertificateQuestion()
        question.finding = "key_on_several_devices"
        let found = try await bench.service.page(question, at: now).certificates
        #expect(
            found.map { $0.device }.sorted() == ["edge-1", "edge-2"] && found.allSatisfy { $0.score == 39 && $0.findings[0].severity == "critical" })
        // Told again it is the same; and when one device has another key it is over, on both.
        try await bench.report(20, [bench.assessed("a", key: "1", hasKey: true)])
        #expect(try await keys() == ["critical 1 edge-1,edge-2"])
        try await bench.report(20, [bench.assessed("c", key: "2", hasKey: true)], device: "edge-2")
        #expect(try await keys() == [])
        #expect(try await findings("a") == [])
    }

    @Test func `a private key without a certificate counts as one that has it`() async throws {
        try await bench.report(10, [], keys: [("1", "/a.key"), ("2", "/b.key"), ("2", "/copy/b.key")])
        #expect(try await keys() == [])
        try await bench.report(10, [], keys: [("1", "/backup/a.key")], device: "edge-2")
        #expect(try await keys() == ["critical 1 edge-1,edge-2"])
        let shared = try #require(try await bench.service.reusedKeys().first)
        #expect(shared.certificates.isEmpty && shared.holders == ["edge-1", "edge-2"])
        // And with one that lies beside its certificate, whose own findings say so.
        try await bench.report(10, [bench.assessed("a", key: "2", hasKey: true)], device: "edge-3")
        #expect(try await keys() == ["critical 1 edge-1,edge-2", "critical 2 edge-1,edge-3"])
        #expect(try await findings("a") == ["key_on_several_devices"])
        // A certificate of the key alone is not the key.
        try await bench.report(10, [bench.assessed("b", key: "1")], device: "edge-4")
        #expect(try await bench.service.reusedKeys()[0].holders == ["edge-1", "edge-2"])
        #expect(try await findings("b") == ["key_on_several_devices"])
    }

    @Test func `a private key that a whole scan does not find again is gone`() async throws {
        try await bench.report(10, [], keys: [("1", "/a.key")])
        try await bench.report(10, [bench.assessed("a", key: "1", hasKey: true)], device: "edge-2")
        #expect(try await keys() == ["critical 1 edge-1,edge-2"])
        try await bench.report(20, [], part: 1, parts: 2, keys: [("2", "/b.key")])
        #expect(try await keys() == ["critical 1 edge-1,edge-2"])
        try await bench.report(20, [], part: 2, parts: 2)
        #expect(try await keys() == [])
        #expect(try await findings("a") == [])
        #expect(try await bench.documents.find(DocumentQuery(), in: .keyPlaces).map { $0["path"] } == ["/b.key"])
        // An older scan that comes late changes nothing.
        try await bench.report(10, [], keys: [("1", "/a.key")])
        #expect(try await keys() == [])
    }

    @Test func `a key that has no id or no path is refused`() async throws {
        for (key, path) in [("x", "/a.key"), ("1", "")] as [(Character, String)] {
            await #expect(throws: Refusal.self) { try await bench.report(10, [], keys: [(key, path)]) }
        }
        #expect(try await bench.documents.find(DocumentQuery(), in: .keyPlaces).isEmpty)
    }

    @Test func `one key in certificates of two devices is a problem, a copy of one certificate is none`() async throws {
        try await bench.report(10, [bench.assessed("a", key: "1"), bench.assessed("b", key: "2")])
        try await bench.report(10, [bench.assessed("a", key: "1"), bench.assessed("c", key: "2")], device: "edge-2")
        // Two certificates of one authority.
        try await bench.report(10, [bench.assessed("d", key: "3", role: "root")])
        try await bench.report(10, [bench.assessed("e", key: "3", role: "intermediate")], device: "edge-2")
        #expect(try await keys() == ["problem 2 edge-1,edge-2"])
        #expect(try await findings("b") == ["duplicate_key"])
        #expect(FindingAdvice.of("duplicate_key") != nil && FindingAdvice.of("key_on_several_devices") != nil)
    }
}
