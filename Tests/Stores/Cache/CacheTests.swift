import CacheStores
import CollectorFixtures
import Testing

@Suite struct CacheTests {
    private let key = CacheKey.deviceStatus("edge-1")

    @Test func `keys are those of the data model, with hash tags`() {
        let texts = CacheKind.allCases.map { CacheKey($0, "a").text }
        #expect(
            texts == [
                "cert:{a}", "cert:validation:{a}", "device:{a}:status", "device:{a}:metrics", "tx:{a}", "chain:{a}:metrics", "quantum_cert:{a}",
                "quantum:keys:{a}", "query:{a}", "series:{a}", "session:{a}", "session:era:{a}", "ratelimit:{a}",
            ])
        #expect(texts.map { CacheKind(of: $0) } == CacheKind.allCases)
        for stranger in ["", "device:edge-1:status", "device:{edge-1}", "other:{a}", "session:a"] { #expect(CacheKind(of: stranger) == nil) }
    }

    @Test func `a value lives for its kind's time and no longer`() async {
        let now = Changeable(ContinuousClock.now)
        let cache = MemoryCache(now: { now.value })
        await cache.write([.set(key, [1, 2]), .set(CacheKey(.query, "q"), [3]), .append(.deviceMetrics("edge-1"), [4])])
        now.change { $0 += .seconds(60) }
        #expect(await cache.get([key, CacheKey(.query, "q")]) == [key: [1, 2]])
        now.change { $0 += .seconds(3_540) }
        #expect(await cache.get(key) == nil)
        #expect(await cache.recent(.deviceMetrics("edge-1")).isEmpty)
        #expect(cache.count == 0)
    }

    @Test func `the least recently used go when there are too many`() async {
        let cache = MemoryCache(entriesMax: 3)
        for name in ["a", "b", "c"] { await cache.set(.deviceStatus(name), [0]) }
        _ = await cache.get(.deviceStatus("a"))
        await cache.set(.deviceStatus("d"), [0])
        #expect(await cache.get(.deviceStatus("b")) == nil)
        #expect(await cache.get([.deviceStatus("a"), .deviceStatus("c"), .deviceStatus("d")]).count == 3)
    }

    @Test func `bytes are bounded, and a value that could never fit is not kept`() async {
        let cache = MemoryCache(bytesMax: 1_000)
        for index in 0..<50 { await cache.set(.deviceStatus("d\(index)"), [UInt8](repeating: 0, count: 100)) }
        #expect((5...9).contains(cache.count))
        await cache.set(key, [UInt8](repeating: 0, count: 2_000))
        #expect(await cache.get(key) == nil)
        #expect((5...9).contains(cache.count))
    }

    @Test func `random use agrees with a plain dictionary while nothing is evicted`() async {
        let cache = MemoryCache()
        var model: [CacheKey: [UInt8]] = [:]
        for _ in 0..<5_000 {
            let key = CacheKey.deviceStatus(String(Int.random(in: 0..<50)))
            switch Int.random(in: 0..<3) {
            case 0:
                let value = [UInt8.random(in: 0...255)]
                await cache.set(key, value)
                model[key] = value
            case 1:
                await cache.remove(key)
                model[key] = nil
            default: #expect(await cache.get(key) == model[key])
            }
        }
        #expect(cache.count == model.count)
    }

    @Test func `a window moves with time, and nothing that was refused counts`() async {
        let now = Changeable(ContinuousClock.now)
        let cache = MemoryCache(now: { now.value })
        let limit = RateLimit(2, within: .seconds(10))
        let key = CacheKey(.rateLimit, "client")
        #expect(await cache.admit(key, limit).isAdmitted)
        now.change { $0 += .seconds(6) }
        #expect(await cache.admit(key, limit).isAdmitted)
        now.change { $0 += .seconds(3) }
        #expect(await cache.admit(key, limit) == Admission(isAdmitted: false, remaining: 0, retryAfter: .seconds(1)))
        now.change { $0 += .seconds(1) }
        #expect(await cache.admit(key, limit) == Admission(isAdmitted: true, remaining: 0, retryAfter: .zero))
        #expect(await cache.admit(key, limit) == Admission(isAdmitted: false, remaining: 0, retryAfter: .seconds(6)))
    }
}
