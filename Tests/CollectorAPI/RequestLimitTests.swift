import CacheStores
import CollectorAPI
import Hummingbird
import HummingbirdTesting
import ServiceSupport
import Testing

@Suite struct RequestLimitTests {
    private func statuses(_ bench: APIBench, _ paths: [String]) async throws -> [(status: Int, retryAfter: String?, body: String)] {
        try await bench.application.test(.live) { client in
            var found: [(Int, String?, String)] = []
            for path in paths {
                let response = try await client.execute(uri: path, method: .get)
                found.append((response.status.code, response.headers[.retryAfter], String(buffer: response.body)))
            }
            return found
        }
    }

    @Test func `who asks too often is told when to come back, by every collector on the same cache`() async throws {
        let cache = MemoryCache()
        let limit = RequestLimit(perMinute: 3, exemptsLoopback: false)
        let one = try APIBench(cache: cache, requestLimit: limit)
        let other = try APIBench(cache: cache, requestLimit: limit)
        let found = try await statuses(one, ["/v1/devices", "/livez", "/v1/devices", "/metrics", "/v1/nothing", "/v1/devices", "/livez"])
        #expect(found.map { $0.status } == [200, 200, 200, 200, 404, 429, 200])
        #expect(found[5].retryAfter.flatMap { Int($0) }.map { (1...60).contains($0) } == true, "\(found[5])")
        #expect(found[5].body.contains("\"status\":429") && found[5].body.contains("more than 3 requests"))
        #expect(try await statuses(other, ["/v1/devices"]).map { $0.status } == [429])
        #expect(one.registry.render().contains("farwatch_http_limited_total 1"))
    }

    @Test func `who is on the machine itself is not limited`() async throws {
        let bench = try APIBench(requestLimit: RequestLimit(perMinute: 1))
        #expect(try await statuses(bench, ["/v1/devices", "/v1/devices", "/v1/devices"]).map { $0.status } == [200, 200, 200])
    }
}
