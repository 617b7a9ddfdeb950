import CollectorFixtures
import DocumentStores
import Hummingbird
import HummingbirdTesting
import Telemetry
import Testing
import TimeSeriesStores

/// Completeness and quarantine over HTTP.
@Suite struct CompletenessAPITests {
    private let bench: APIBench

    init() throws { bench = try APIBench() }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ status: HTTPResponse.Status = .ok, origin: String? = nil
    ) async throws -> JSONValue {
        var headers = HTTPFields()
        if let origin { headers[.origin] = origin }
        return try await bench.application.test(.router) { [headers] client in
            try await client.execute(uri: path, method: method, headers: headers) { response in
                #expect(response.status == status, "\(method) \(path): \(String(buffer: response.body))")
                return response.body.readableBytes == 0 ? .null : try JSONParser.parse(String(buffer: response.body))
            }
        }
    }

    private func get(_ path: String, _ status: HTTPResponse.Status = .ok) async throws -> JSONValue { try await send(.get, path, status) }

    /// A minute of ticks a second apart.
    private func minute(_ sequence: UInt64, of device: String = "edge-1") -> Batch {
        SampleBatches.samples(sequence, device: device, ticks: SampleBatches.ticks(60, from: SampleBatches.start + Int64(sequence) * 60_000))
    }

    private let range = "start=2026-01-01T00:01:00Z&end=2026-01-01T00:06:00Z"

    @Test func `a device's range is told in seconds that add up, with its gaps and a picture`() async throws {
        for sequence in [1, 2, 4, 5] as [UInt64] { try await bench.commit(minute(sequence)) }
        let answer = try await get("/v1/devices/edge-1/completeness?" + range)
        #expect(answer["complete"] == false && answer["device"] == "edge-1")
        #expect(
            answer["seconds"] == [
                "expected": 300.0, "stored": 240.0, "thinned": 0.0, "evicted": 0.0, "on_device": 60.0, "not_sampled": 0.0, "unknown": 0.0,
            ])
        #expect(answer["samples"]?["stored"]?.integer == 360)
        #expect(
            answer["gaps"] == [
                ["state": "on_device", "from": "2026-01-01T00:03:00Z", "to": "2026-01-01T00:04:00Z", "seconds": 60.0, "cause": nil]
            ])
        let strip = try #require(answer["strip"]?.array)
        #expect(strip.map { $0["state"] } == ["stored", "on_device", "stored"])
        #expect(strip.compactMap { $0["bins"]?.integer } == [192, 96, 192])
        try await bench.commit(minute(3))
        #expect(try await get("/v1/devices/edge-1/completeness?" + range)["complete"] == true)
    }

    @Test func `the fleet is told by pages`() async throws {
        for device in ["a", "b", "c"] { try await bench.commit(minute(1, of: device)) }
        let first = try await get("/v1/completeness?limit=2&" + range)
        #expect(first["devices"]?.array?.map { $0["device"] } == ["a", "b"] && first["next"] == "b")
        #expect(first["devices"]?.array?.first?["seconds"]?["stored"]?.number == 60)
        let second = try await get("/v1/completeness?limit=2&after=b&" + range)
        #expect(second["devices"]?.array?.map { $0["device"] } == ["c"] && second["next"] == .null)
    }

    @Test(arguments: [
        "start=x", "end=yesterday", "start=2026-01-01T00:10:00Z&end=2026-01-01T00:01:00Z", "start=2027-01-01T00:00:00Z", "start=0",
        "start=1&start=2", "start=1&from=1", "from=", "from=-1",
    ])
    func `a range that makes no sense is a problem`(query: String) async throws {
        try await bench.commit(minute(1))
        #expect(try await get("/v1/devices/edge-1/completeness?" + query, .badRequest)["status"] == 400)
        _ = try await get("/v1/completeness?" + query, .badRequest)
    }

    @Test func `a stranger's completeness is nowhere`() async throws {
        _ = try await get("/v1/devices/nobody/completeness", .notFound)
        _ = try await get("/v1/completeness?limit=0", .badRequest)
        _ = try await get("/v1/completeness?after=a%20b", .badRequest)
    }

    private func quarantine(_ batch: Batch, _ reason: String) async throws -> Int64 {
        let place = QuarantinedItem.Place(stream: batch.stream, sequences: batch.sequences)
        try await bench.store.quarantine([
            QuarantinedItem(device: batch.device, reason: reason, at: APIBench.now, place: place, bytes: batch.encoded())
        ])
        return try #require(try await bench.store.quarantined(QuarantineQuery(limit: 1)).first?.id)
    }

    @Test func `what was refused is listed, shown, played again and gone`() async throws {
        let id = try await quarantine(minute(3), "too_late: by a clock that was wrong")
        let list = try await get("/v1/quarantine?device=edge-1&reason=too_late")
        #expect(list["items"]?.array?.count == 1 && list["next"] == .null)
        let item = try await get("/v1/quarantine/\(id)")
        #expect(item["batch"]?["kind"] == "samples" && item["batch"]?["ticks"] == 60 && item["sequences"] == [3, 3])
        #expect(item["hex"]?.text?.hasPrefix("4657") == true && item["hex"]?.text?.count == minute(3).encoded().count * 2)
        #expect(try await send(.post, "/v1/quarantine/\(id)/replay") == ["id": .integer(id), "outcome": "committed", "samples": 90])
        _ = try await send(.post, "/v1/quarantine/\(id)/replay", .notFound)
        #expect(try await bench.store.sampleCount(of: SampleBatches.device()) == 90)
    }

    @Test func `all that a filter lets through is played again at once`() async throws {
        _ = try await quarantine(minute(3), "too_late: x")
        _ = try await quarantine(minute(3), "too_late: x")
        _ = try await quarantine(minute(4), "too_early: x")
        let summary = try await send(.post, "/v1/quarantine/replay?reason=too_late")
        #expect(summary == ["committed": 1, "duplicates": 1, "refused": 0])
        #expect(try await get("/v1/quarantine")["items"]?.array?.count == 1)
    }

    @Test(arguments: ["devcie=edge-1", "device=", "reason=", "device", "reason=too_late&all=1", "device=edge-1&device=edge-2"])
    func `a filter that is empty or misspelt plays nothing`(query: String) async throws {
        _ = try await quarantine(minute(3), "too_late: x")
        _ = try await send(.post, "/v1/quarantine/replay?" + query, .badRequest)
        _ = try await get("/v1/quarantine?" + query, .badRequest)
        #expect(try await get("/v1/quarantine")["items"]?.array?.count == 1)
    }

    @Test func `what cannot be read is shown as it is, and can be thrown away`() async throws {
        try await bench.store.quarantine([QuarantinedItem(device: SampleBatches.device(), reason: "truncated", at: 1, bytes: [0x46])])
        let id = try #require(try await get("/v1/quarantine")["items"]?.array?.first?["id"]?.integer)
        let item = try await get("/v1/quarantine/\(id)")
        #expect(item["batch"] == .null && item["undecodable"]?.text?.hasPrefix("truncated") == true && item["hex"] == "46")
        _ = try await send(.delete, "/v1/quarantine/\(id)", .noContent)
        _ = try await send(.delete, "/v1/quarantine/\(id)", .notFound)
    }

    @Test(arguments: ["/v1/quarantine/x", "/v1/quarantine/0", "/v1/quarantine?limit=101", "/v1/quarantine?before=x", "/v1/quarantine?device=%20"])
    func `a question for quarantine that makes no sense is a problem`(path: String) async throws {
        _ = try await get(path, .badRequest)
    }

    @Test func `a page of another site cannot play or delete anything`() async throws {
        let id = try await quarantine(minute(3), "too_late: x")
        _ = try await send(.delete, "/v1/quarantine/\(id)", .forbidden, origin: "https://elsewhere.example")
        _ = try await send(.post, "/v1/quarantine/replay", .forbidden, origin: "null")
        _ = try await send(.post, "/v1/quarantine/replay", origin: "http://localhost")
    }

    @Test(arguments: [
        ("/v1/devices", HTTPRequest.Method.post), ("/v1/devices/edge-1", .delete), ("/v1/quarantine/replay", .put), ("/metrics", .post),
        ("/v1/quarantine/replay", .get), ("/v1/quarantine/replay", .delete), ("/v1/quarantine/1/replay", .get), ("/", .post), ("/assets/x", .put),
    ])
    func `a wrong method is told with the right ones`(path: String, method: HTTPRequest.Method) async throws {
        #expect(try await send(method, path, .methodNotAllowed)["status"] == 405)
    }
}
