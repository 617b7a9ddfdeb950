import CacheStores
import CollectorAPI
import CollectorFixtures
import HummingbirdTesting
import NIOCore
import Telemetry
import Testing

@Suite struct QueryCacheTests {
    @Test func `a question is answered again without being asked again, and another is asked`() async {
        let cache = MemoryCache()
        let asked = Changeable(0)
        func answer(_ question: [String], _ queries: QueryCache) async -> String {
            await queries.answer(to: question) {
                asked.change { $0 += 1 }
                return "answer \(asked.value)"
            }
        }
        let queries = QueryCache(cache: cache, keptAfter: .zero)
        #expect(await answer(["a", "b"], queries) == "answer 1")
        #expect(await answer(["a", "b"], QueryCache(cache: cache, keptAfter: .zero)) == "answer 1")
        #expect(await answer(["a,b"], queries) == "answer 2")
        #expect(await answer(["a", "b", ""], queries) == "answer 3")
        // What was found at once is not worth its place.
        let quick = QueryCache(cache: cache, keptAfter: .seconds(3_600))
        #expect(await answer(["c"], quick) == "answer 4")
        #expect(await answer(["c"], quick) == "answer 5")
    }

    @Test func `an answer under the hash of another question is not taken`() async throws {
        let cache = PlantedCache()
        #expect(await QueryCache(cache: cache, keptAfter: .zero).answer(to: ["a"]) { "own" } == "own")
    }

    @Test func `clients are told apart by their address, or by their network of IPv6`() throws {
        func client(_ text: String) throws -> ClientAddress? { ClientAddress(try SocketAddress(ipAddress: text, port: 1)) }
        #expect(try client("192.0.2.7")?.text == "192.0.2.7" && client("192.0.2.7")?.isLoopback == false)
        #expect(try client("::ffff:192.0.2.7") == client("192.0.2.7"))
        #expect(try client("2001:db8:1:2::1") == client("2001:db8:1:2:ffff::1"))
        #expect(try client("2001:db8:1:3::1") != client("2001:db8:1:2::1"))
        for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] { #expect(try client(loopback)?.isLoopback == true) }
        #expect(try ClientAddress(SocketAddress(unixDomainSocketPath: "/tmp/socket")) == nil)
    }
}

/// A cache that has another question's answer wherever it is asked.
private struct PlantedCache: Cache {
    func get(_ keys: [CacheKey]) async -> [CacheKey: [UInt8]] { Dictionary(keys.map { ($0, Array("[\"b\"]\nother".utf8)) }) { first, _ in first } }
    func write(_: [CacheWrite]) async {}
    func remove(_: [CacheKey]) async {}
    func touch(_: [CacheKey]) async -> Set<CacheKey> { [] }
    func recent(_: CacheKey) async -> [[UInt8]] { [] }
    func admit(_: CacheKey, _: RateLimit) async -> Admission { Admission(isAdmitted: true, remaining: 1, retryAfter: .zero) }
    var counts: CacheCounts { CacheCounts() }
}
