import CollectorFixtures
import DocumentStores
import Hummingbird
import HummingbirdTesting
import Telemetry
import Testing

@Suite struct CollectorAPITests {
    private let bench: APIBench

    init() throws { bench = try APIBench() }

    private func get(_ path: String, _ status: HTTPResponse.Status = .ok) async throws -> JSONValue {
        try await bench.application.test(.router) { client in
            try await client.execute(uri: path, method: .get) { response in
                #expect(response.status == status, "\(path)")
                let isProblem = response.headers[.contentType] == "application/problem+json"
                #expect(isProblem == (status.code >= 400 && !path.hasPrefix("/readyz")))
                return try JSONParser.parse(String(buffer: response.body))
            }
        }
    }

    @Test func `the fleet is listed by id, with the newest values and the worst certificate`() async throws {
        try await bench.commit(SampleBatches.samples(1, device: "edge-2"))
        try await bench.commit(SampleBatches.samples(1))
        try await bench.report(APIBench.certificate("a", notAfter: "2026-01-13T12:00:00Z"))
        let devices = try #require(try await get("/v1/devices")["devices"]?.array)
        #expect(devices.map { $0["id"] } == ["edge-1", "edge-2"])
        #expect(
            devices[0] == [
                "id": "edge-1", "status": "unknown", "unknown_since": nil, "last_seen": "2026-01-01T01:00:00Z",
                "latest": ["at": "2026-01-01T00:00:09Z", "cpu_usage": 0.09, "memory_usage": 0.5, "network_latency": nil],
                "worst_certificate": [
                    "id": .string(String(repeating: "a", count: 64)), "path": "/a", "subject": "CN=a", "status": "problem", "validity": "expiring",
                    "days_left": 12,
                ],
            ])
        #expect(devices[1]["worst_certificate"] == .null)
    }

    @Test func `a device's page has its facts, series and certificates`() async throws {
        try await bench.commit(SampleBatches.samples(1))
        try await bench.report(APIBench.certificate("a", notAfter: "2027-01-01T00:00:00Z"))
        let device = try await get("/v1/devices/edge-1")
        #expect(device["facts"] == .null && device["samples_stored"] == 15 && device["first_seen"] == "2026-01-01T01:00:00Z")
        #expect(device["series"] == ["cpu_usage", "memory_usage"])
        let certificate = device["certificates"]?.array?.first
        #expect(certificate?["status"] == "ok" && certificate?["device"] == "edge-1" && certificate?["trust_error"] == .null)
    }

    @Test func `a device's newest values come newest first, and those that were just committed at once`() async throws {
        let ticks = SampleBatches.ticks(30)
        for (index, tick) in ticks.enumerated() {
            try await bench.commit(SampleBatches.samples(UInt64(index + 1), ticks: [tick]))
            let recent = try #require(try await get("/v1/devices/edge-1/recent")["recent"]?.array)
            #expect(recent.count == min(index + 1, 20) && recent.first?["cpu_usage"] == .number(Double(index) / 100), "\(index): \(recent)")
        }
        let recent = try #require(try await get("/v1/devices/edge-1/recent")["recent"]?.array)
        #expect(recent.map { $0["at"]?.text ?? "" } == recent.compactMap { $0["at"]?.text }.sorted(by: >))
        _ = try await get("/v1/devices/nobody/recent", .notFound)
    }

    @Test func `an answer is never older than what was committed`() async throws {
        let bench = try APIBench()
        func points() async throws -> Int? {
            try await bench.application.test(.router) { client in
                try await client.execute(uri: "/v1/devices/edge-1/series?from=2026-01-01&metric=cpu_usage&step=1s&to=1767225700", method: .get) {
                    try JSONParser.parse(String(buffer: $0.body))["series"]?.array?.first?["points"]?.array?.count
                }
            }
        }
        let ticks = SampleBatches.ticks(12)
        for count in 1...12 {
            try await bench.commit(SampleBatches.samples(UInt64(count), ticks: [ticks[count - 1]]))
            #expect(try await points() == count)
            #expect(try await points() == count)
        }
    }

    @Test func `samples come in steps of mean, least and greatest`() async throws {
        try await bench.commit(SampleBatches.samples(1, ticks: SampleBatches.ticks(20)))
        let answer = try await get("/v1/devices/edge-1/series?from=2026-01-01T00%3A00%3A00Z&to=1767225619&step=10s&metric=cpu_usage")
        #expect(answer["step"] == 10 && answer["from"] == "2026-01-01T00:00:00Z" && answer["to"] == "2026-01-01T00:00:19Z")
        let series = try #require(answer["series"]?.array)
        #expect(series.count == 1 && series[0]["series"] == "cpu_usage" && series[0]["labels"] == [:])
        let points = try #require(series[0]["points"]?.array)
        #expect(points.map { $0.array?[0].integer } == [SampleBatches.start, SampleBatches.start + 10_000])
        #expect(points[1].array?[2] == 0.1 && points[1].array?[3] == 0.19)
    }

    @Test func `a mean over time goes on where there are no samples, as long as a value holds`() async throws {
        try await bench.commit(SampleBatches.samples(1))
        let answer = try await get("/v1/devices/edge-1/series?from=2026-01-01&to=1767226199&step=60&metric=memory_usage&mean=time&hold=2m")
        let points = try #require(answer["series"]?.array?.first?["points"]?.array)
        #expect(points.count == 3 && points.allSatisfy { $0.array?[1] == 0.5 })
        #expect(try await get("/v1/devices/edge-1/series?mean=samples")["series"]?.array?.count == 2)
    }

    @Test func `without parameters the last hour comes in a handy step`() async throws {
        try await bench.commit(SampleBatches.samples(1))
        let answer = try await get("/v1/devices/edge-1/series")
        #expect(answer["from"] == "2026-01-01T00:00:00Z" && answer["to"] == "2026-01-01T01:00:00Z" && answer["step"] == 10)
        #expect(answer["series"]?.array?.count == 2)
    }

    @Test(arguments: [
        "from=yesterday", "to=x", "step=0", "step=-5", "step=1.5", "step=5w", "step=99999999999", "from=5&to=4", "from=0&to=1767225600&step=1",
        "from=1e300", "from=nan", "from=-1", "from=2026-02-30", "from=1w", "from=99999999d", "from=", "metric=", "metrics=cpu_usage", "step=1&step=2",
        "from=0&to=99999&step=1s", "mean=median", "mean=time&hold=5", "mean=time&hold=2d", "mean=time&hold=long", "hold=5m",
    ])
    func `a parameter that makes no sense is named in a problem`(query: String) async throws {
        try await bench.commit(SampleBatches.samples(1))
        let problem = try await get("/v1/devices/edge-1/series?" + query, .badRequest)
        #expect(problem["status"] == 400 && problem["type"] == "about:blank" && problem["detail"]?.text?.isEmpty == false)
    }

    @Test(arguments: [("2026-01-01", "2026-01-01T00:00:00Z"), ("30m", "2026-01-01T00:30:00Z"), ("1767226500", "2026-01-01T00:15:00Z")])
    func `a time is a timestamp, a date, seconds since 1970, or how long ago`(text: String, at: String) async throws {
        try await bench.commit(SampleBatches.samples(1))
        #expect(try await get("/v1/devices/edge-1/series?from=" + text)["from"]?.text == at)
        #expect(try await get("/v1/devices/edge-1/completeness?from=" + text)["from"]?.text == at)
    }

    @Test(arguments: [
        "/v1/devices", "/v1/devices/edge-1", "/v1/devices/edge-1/series", "/v1/devices/edge-1/completeness", "/v1/completeness", "/v1/certificates",
        "/v1/quarantine", "/v1/quarantine/1", "/v1/live",
    ])
    func `a parameter that there is not, or an empty one, is named in a problem`(path: String) async throws {
        #expect(try await get(path + "?devcie=edge-1", .badRequest)["detail"]?.text?.contains("devcie") == true)
        #expect(try await get(path + "?devcie", .badRequest)["detail"]?.text?.contains("devcie") == true)
    }

    @Test func `too many points are a problem, not an endless answer`() async throws {
        let series = (0..<60).map { Series("x", [Label("n", "\($0)")]) }
        let ticks = (0..<4_000).map { index in Tick(at: SampleBatches.start + Int64(index) * 1_000, readings: series.map { Reading($0, 1) }) }
        for (index, start) in stride(from: 0, to: 4_000, by: 1_000).enumerated() {
            try await bench.commit(SampleBatches.samples(UInt64(index) + 1, ticks: Array(ticks[start..<start + 1_000])))
        }
        let problem = try await get("/v1/devices/edge-1/series?from=1767225600&to=1767229600&step=1", .badRequest)
        #expect(problem["detail"]?.text?.contains("too large") == true)
    }

    @Test(arguments: ["/v1/devices/nobody", "/v1/devices/nobody/series", "/nowhere", "/v1/devices/a/b/c", "/assets/../secret", "/assets/x.js"])
    func `what is not there is a problem document`(path: String) async throws {
        #expect(try await get(path, .notFound)["status"] == 404)
    }

    @Test func `an id that can be no device's is a bad request`() async throws {
        _ = try await get("/v1/devices/a%20b", .badRequest)
        _ = try await get("/v1/certificates?device=a%20b", .badRequest)
        _ = try await get("/v1/certificates?status=fine", .badRequest)
    }

    @Test func `certificates come soonest expiry first and filtered`() async throws {
        let late = APIBench.certificate("a", notAfter: "2028-01-01T00:00:00Z")
        try await bench.report(late + "," + APIBench.certificate("b", notAfter: "2025-06-01T00:00:00Z"))
        try await bench.report(APIBench.certificate("c", notAfter: "2026-01-05T00:00:00Z"), device: "edge-2")
        func subjects(_ query: String) async throws -> [String?] {
            try await get("/v1/certificates" + query)["certificates"]?.array?.map { $0["subject"]?.text } ?? []
        }
        #expect(try await subjects("") == ["CN=b", "CN=c", "CN=a"])
        #expect(try await subjects("?device=edge-1") == ["CN=b", "CN=a"])
        #expect(try await subjects("?validity=expiring") == ["CN=c"])
        #expect(try await subjects("?device=edge-1&validity=expired") == ["CN=b"])
    }

    @Test func `readiness says what is missing, liveness does not care`() async throws {
        #expect(try await get("/readyz") == ["status": "ok", "checks": ["broker": "ok"]])
        bench.brokerReason.value = "connection refused"
        #expect(try await get("/readyz", .serviceUnavailable) == ["status": "unavailable", "checks": ["broker": "connection refused"]])
        #expect(try await get("/livez")["status"] == "ok")
    }

    @Test func `requests are counted by route`() async throws {
        _ = try await get("/v1/devices/nobody", .notFound)
        _ = try await get("/wherever/this/is", .notFound)
        let text = try await bench.application.test(.router) { client in
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                return String(buffer: response.body)
            }
        }
        #expect(text.contains(#"farwatch_http_requests_total{method="GET",route="/v1/devices/{id}",status="404"} 1"#))
        #expect(text.contains(#"farwatch_http_requests_total{method="GET",route="NotFound",status="404"} 1"#))
    }
}
