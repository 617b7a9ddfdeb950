import CacheStores
import CollectorFixtures
import Testing

@Suite struct CacheTests {
    private let key = CacheKey.deviceStatus("edge-1")

    @Test func `keys are those of the data model`() {
        #expect(CacheKey.deviceStatus("a").text == "device:a:status")
        #expect(CacheKey.deviceMetrics("a").text == "device:a:metrics")
    }

    @Test func `a value lives for its time and no longer`() async {
        let now = Changeable(ContinuousClock.now)
        let cache = MemoryCache(now: { now.value })
        await cache.set(key, [1, 2], timeToLive: .seconds(10))
        #expect(await cache.get(key) == [1, 2])
        now.change { $0 += .seconds(10) }
        #expect(await cache.get(key) == nil)
        #expect(cache.count == 0)
    }

    @Test func `the least recently used go when there are too many`() async {
        let cache = MemoryCache(entriesMax: 3)
        for name in ["a", "b", "c"] { await cache.set(.deviceStatus(name), [0], timeToLive: .seconds(60)) }
        _ = await cache.get(.deviceStatus("a"))
        await cache.set(.deviceStatus("d"), [0], timeToLive: .seconds(60))
        #expect(await cache.get(.deviceStatus("b")) == nil)
        #expect(await cache.get([.deviceStatus("a"), .deviceStatus("c"), .deviceStatus("d")]).count == 3)
    }

    @Test func `bytes are bounded, and a value that could never fit is not kept`() async {
        let cache = MemoryCache(bytesMax: 1_000)
        for index in 0..<50 { await cache.set(.deviceStatus("d\(index)"), [UInt8](repeating: 0, count: 100), timeToLive: .seconds(60)) }
        #expect((5...9).contains(cache.count))
        await cache.set(key, [UInt8](repeating: 0, count: 2_000), timeToLive: .seconds(60))
        #expect(await cache.get(key) == nil)
        #expect((5...9).contains(cache.count))
    }

    @Test func `random use agrees with a plain dictionary while nothing is evicted`() async {
        let cache = MemoryCache()
        var model: [CacheKey: [UInt8]] = [:]
        for _ in 0..<5_000 {
            let key = CacheKey.deviceMetrics(String(Int.random(in: 0..<50)))
            switch Int.random(in: 0..<3) {
            case 0:
                let value = [UInt8.random(in: 0...255)]
                await cache.set(key, value, timeToLive: .seconds(600))
                model[key] = value
            case 1:
                await cache.remove(key)
                model[key] = nil
            default: #expect(await cache.get(key) == model[key])
            }
        }
        #expect(cache.count == model.count)
    }
}
