import CertificateFixtures
import CollectorFixtures
import DocumentStores
import Hummingbird
import HummingbirdTesting
import Testing

/// Certificates over HTTP.
@Suite struct CertificateAPITests {
    private let bench: APIBench

    init() throws { bench = try APIBench() }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ status: HTTPResponse.Status = .ok, body: [UInt8] = []
    ) async throws -> JSONValue {
        try await bench.application.test(.router) { client in
            try await client.execute(uri: path, method: method, body: ByteBuffer(bytes: body)) { response in
                #expect(response.status == status, "\(method) \(path): \(String(buffer: response.body))")
                return try JSONParser.parse(String(buffer: response.body))
            }
        }
    }

    private func get(_ path: String, _ status: HTTPResponse.Status = .ok) async throws -> JSONValue { try await send(.get, path, status) }

    private func id(_ digit: Character) -> String { String(repeating: digit, count: 64) }

    private func certificate(_ digit: Character, notAfter: String, chain: String = "", more: String = "") -> String {
        let dates = #""not_before":"2025-01-01T00:00:00Z","not_after":"\#(notAfter)""#
        let found = #""findings":[{"code":"weak_key","severity":"critical"}],"score":40,"validation_time":0.5,"role":"leaf""#
        return #"{"id":"\#(id(digit))","path":"/\#(digit)","subject":"CN=\#(digit)","issuer":"CN=ca","trusted":true,"#
            + #""key_id":"\#(id("1"))","chain":[\#(chain)],\#(dates),\#(found)\#(more)}"#
    }

    private let served = #","endpoint":"pump:443","response_time":0.125,"protocol":"TLSv1.3","cipher":"TLS_A","stapled":"good""#

    private func fleet() async throws {
        try await bench.report(
            certificate("a", notAfter: "2026-03-01T00:00:00Z", chain: "\"\(id("c"))\"") + ","
                + certificate("b", notAfter: "2026-01-20T12:00:00Z", more: served))
        try await bench.report(certificate("d", notAfter: "2026-03-01T00:00:00Z", chain: "\"\(id("c"))\""), device: "edge-2")
    }

    @Test func `certificates come by pages, with findings, why they matter and what to do`() async throws {
        try await fleet()
        let first = try await get("/v1/certificates?limit=2")
        let found = try #require(first["certificates"]?.array)
        #expect(found.map { $0["subject"] } == ["CN=b", "CN=a"] && found[0]["served_not_on_disk"] == true && found[0]["response_time"] == 0.125)
        #expect(found.allSatisfy { $0["status"] == "critical" } && found.map { $0["validity"] } == ["expiring", "ok"])
        #expect(found[0]["protocol"] == "TLSv1.3" && found[0]["cipher"] == "TLS_A" && found[0]["stapled"] == "good" && found[1]["stapled"] == .null)
        let finding = try #require(found[1]["findings"]?.array?.first { $0["code"] == "weak_key" })
        #expect(finding["severity"] == "critical" && finding["why"]?.text?.isEmpty == false && finding["fix"]?.text?.isEmpty == false)
        let next = try #require(first["next"]?.text)
        let second = try await get("/v1/certificates?limit=2&after=" + next.replacing("|", with: "%7C"))
        #expect(second["certificates"]?.array?.map { $0["subject"] } == ["CN=d"] && second["next"] == .null)
    }

    @Test(arguments: [
        ("device=edge-2", 1), ("finding=weak_key", 3), ("finding=revoked", 0), ("finding=key_on_several_devices", 0), ("issuer=CN%3Dca", 3),
        ("key=" + String(repeating: "1", count: 64), 3),
        ("expires_within=20", 1), ("served_not_on_disk=true", 1), ("validity=ok", 2), ("validity=expired", 0), ("validity=expiring&device=edge-1", 1),
        ("status=critical", 3), ("status=ok", 0), ("status=critical&validity=ok&finding=weak_key", 2),
    ])
    func `a filter lets through what it names`(query: String, count: Int) async throws {
        try await fleet()
        #expect(try await get("/v1/certificates?" + query)["certificates"]?.array?.count == count)
    }

    @Test(arguments: [
        "limit=0", "limit=99999999", "after=x", "after=x~y", "key=1", "finding=", "finding=none", "served_not_on_disk=yes", "expires_within=0",
        "status=fine", "status=expired", "validity=critical",
        "site=x",
    ])
    func `a filter that makes no sense is a problem`(query: String) async throws {
        #expect(try await get("/v1/certificates?" + query, .badRequest)["status"] == 400)
    }

    @Test func `one certificate is told with its places, its chain and what it measured`() async throws {
        try await fleet()
        let found = try await get("/v1/certificates/" + id("A"))
        #expect(found["subject"] == "CN=a" && found["places_count"] == 1 && found["places"]?.array?.first?["device"] == "edge-1")
        #expect(found["chain"] == [["id": .string(id("c"))]] && found["first_seen"] == "1970-01-01T00:00:00.001Z")
        #expect(found["validation"]?["score"] == 40 && found["history"] == [] && found["days_left"] == 58)
        _ = try await get("/v1/certificates/" + id("f"), .notFound)
        _ = try await get("/v1/certificates/a", .badRequest)
        _ = try await get("/v1/certificates/" + id("a") + "?x=1", .badRequest)
    }

    @Test func `calendar, keys and blast radius are told`() async throws {
        try await fleet()
        try await bench.commit(SampleBatches.samples(1))
        _ = try await send(.put, "/v1/devices/edge-1/labels", body: Array(#"{"site":"north","group":"pumps"}"#.utf8))
        #expect(try await get("/v1/devices/edge-1")["labels"] == ["site": "north", "group": "pumps"])
        let days = try #require(try await get("/v1/certificates/calendar?days=90")["days"]?.array)
        #expect(days.map { $0["date"] } == ["2026-01-20T00:00:00Z", "2026-03-01T00:00:00Z"])
        #expect(days[1]["sites"] == [["name": "", "devices": 1, "certificates": 1], ["name": "north", "devices": 1, "certificates": 1]])
        let radius = try await get("/v1/certificates/" + id("c") + "/blast-radius")
        #expect(radius["devices"] == ["edge-1", "edge-2"] && radius["cut"] == false)
        let keys = try #require(try await get("/v1/certificates/keys")["keys"]?.array)
        #expect(keys.map { $0["severity"] } == ["problem"] && keys[0]["devices"] == ["edge-1", "edge-2"])
        _ = try await get("/v1/certificates/" + id("f") + "/blast-radius", .notFound)
        _ = try await get("/v1/certificates/calendar?days=x", .badRequest)
    }

    @Test(arguments: ["[]", "x", "", #"{"Site":"x"}"#, #"{"site":1}"#, #"{"site":""}"#, #"{"":"x"}"#, #"{"site":"a\u0007"}"#])
    func `labels that make no sense are a problem, and change nothing`(body: String) async throws {
        try await bench.commit(SampleBatches.samples(1))
        _ = try await send(.put, "/v1/devices/edge-1/labels", body: Array(#"{"site":"north"}"#.utf8))
        _ = try await send(.put, "/v1/devices/edge-1/labels", .badRequest, body: Array(body.utf8))
        #expect(try await get("/v1/devices/edge-1")["labels"] == ["site": "north"])
        _ = try await send(.put, "/v1/devices/nobody/labels", .notFound, body: Array("{}".utf8))
    }

    // MARK: Validation

    private func validate(_ body: [UInt8], _ query: String = "", _ status: HTTPResponse.Status = .ok) async throws -> JSONValue {
        try await send(.post, "/v1/certificates/validate" + query, status, body: body)
    }

    private func codes(_ report: JSONValue) -> [String] {
        (report["certificates"]?.array?.first?["findings"]?.array ?? []).compactMap { $0["code"]?.text }
    }

    @Test func `a chain that is sent is judged by the roots, the name and the time that are asked for`() async throws {
        let workshop = try CertificateWorkshop()
        try workshop.issue("ca", isAuthority: true)
        try workshop.issue("leaf", by: "ca", alternativeNames: "DNS:pump.example", from: "20260101000000Z", to: "20260301000000Z")
        try workshop.join(["leaf.pem", "ca.pem"], as: "chain.pem")
        let chain = try workshop.bytes("chain.pem")
        let given = try await validate(chain, "?trust=given&profile=device&at=2026-02-01&hostname=pump.example")
        #expect(given["certificates"]?.array?.count == 2 && given["certificates"]?.array?.first?["trusted"] == true, "\(given)")
        #expect(!codes(given).contains("host_name_mismatch") && !codes(given).contains("expired") && given["profile"] == "device")
        let late = try await validate(chain, "?trust=given&profile=device&at=2026-04-01")
        #expect(late["verdict"] == "critical" && codes(late).contains("expired"))
        let foreign = try await validate(chain, "?at=2026-02-01")
        #expect(foreign["certificates"]?.array?.first?["trusted"] == false && foreign["trust"] == "system" && foreign["verdict"] != "ok")
        let other = try await validate(chain, "?trust=given&profile=device&at=2026-02-01&hostname=other.example")
        #expect(other["certificates"]?.array?.first?["trusted"] == false && codes(other) != codes(given))
    }

    @Test func `authorities that sign each other come to an end, and what was cut off is told`() async throws {
        let workshop = try CertificateWorkshop()
        let names = (0..<6).map { "A\($0)" }
        for name in names { try workshop.issue(name, isAuthority: true) }
        try workshop.issue("leaf", by: "A0", alternativeNames: "DNS:leaf.example")
        var bundle = try workshop.bytes("leaf.pem")
        for name in names {
            for other in names where other != name {
                try workshop.renew(name, by: other)
                bundle += try workshop.bytes(name + ".pem")
            }
        }
        let report = try await validate(bundle, "?profile=device&hostname=leaf.example")
        let found = try #require(report["certificates"]?.array)
        #expect(
            found.count == 31 && report["problems"]?.array?.contains { $0.text?.hasSuffix("was cut off") == true } == true,
            "\(report["problems"] ?? "")")
        #expect(found.last?["findings"]?.array?.contains { $0["code"] == "search_limit" } == true)
        // Three certificates are no work.
        let small = try await validate(try workshop.bytes("leaf.pem"), "?profile=device")
        #expect(small["problems"] == [])
    }

    @Test func `what is no certificate, too much, or asked for wrongly is a problem`() async throws {
        _ = try await validate([], "", .badRequest)
        _ = try await validate(Array("hello".utf8), "", .badRequest)
        _ = try await validate([UInt8](repeating: 0x41, count: 256 * 1024 + 1), "", .contentTooLarge)
        for query in ["?profile=x", "?trust=all", "?at=x", "?hostname=", "?x=1"] { _ = try await validate([0x41], query, .badRequest) }
        #expect(try await get("/v1/certificates/validate", .methodNotAllowed)["status"] == 405)
    }
}
