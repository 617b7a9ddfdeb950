import CacheStores
import Foundation
import Testing

/// What every make of the cache does.
@Suite(.timeLimit(.minutes(5))) struct CacheConformanceTests {
    /// A server is shared by all tests.
    private let id = UUID().uuidString

    @Test(arguments: CacheMake.all)
    func `what was set is there, as bytes, until it is removed`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let (one, other, none) = (CacheKey.deviceStatus(id), CacheKey(.session, id), CacheKey(.query, id))
            let value = [UInt8](0...255)
            await cache.write([.set(one, [1]), .set(other, value), .set(one, [])])
            #expect(await cache.get([one, other, none]) == [one: [], other: value])
            await cache.remove([one, none])
            #expect(await cache.get([one, other, none]) == [other: value])
            #expect(await cache.get([]).isEmpty)
        }
    }

    @Test(arguments: CacheMake.all)
    func `hits and misses are counted`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            await cache.set(.deviceStatus(id), [1])
            _ = await cache.get([.deviceStatus(id), CacheKey(.session, id)])
            _ = await cache.get([.deviceStatus(id + "x")])
            #expect(cache.counts == CacheCounts(hits: 1, misses: 2))
        }
    }

    @Test(arguments: CacheMake.all)
    func `a list keeps its newest elements, newest first`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let key = CacheKey.deviceMetrics(id)
            let most = key.kind.elementsMax
            #expect(await cache.recent(key).isEmpty)
            await cache.write((0..<most + 5).map { .append(key, [UInt8($0)]) })
            #expect(await cache.recent(key) == (5..<most + 5).reversed().map { [UInt8($0)] })
            await cache.remove(key)
            #expect(await cache.recent(key).isEmpty)
        }
    }

    @Test(arguments: CacheMake.all)
    func `a value beyond its kind's bound is not kept, nor what was there before it`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let key = CacheKey(.session, id)
            await cache.set(key, [UInt8](repeating: 0, count: key.kind.valueBytesMax))
            #expect(await cache.get(key)?.count == key.kind.valueBytesMax)
            await cache.set(key, [UInt8](repeating: 0, count: key.kind.valueBytesMax + 1))
            #expect(await cache.get(key) == nil)
        }
    }

    @Test(arguments: CacheMake.all)
    func `a limit admits as many as it says within any window, and says when it will again`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            let key = CacheKey(.rateLimit, id)
            let limit = RateLimit(3, within: .seconds(600))
            for remaining in [2, 1, 0] {
                #expect(await cache.admit(key, limit) == Admission(isAdmitted: true, remaining: remaining, retryAfter: .zero))
            }
            let refused = await cache.admit(key, limit)
            #expect(!refused.isAdmitted && refused.remaining == 0)
            #expect(refused.retryAfter > .zero && refused.retryAfter <= .seconds(600))
            #expect(await cache.admit(CacheKey(.rateLimit, id + "other"), limit).isAdmitted)
            // What has left the window makes room.
            let short = CacheKey(.rateLimit, id + "short")
            #expect(await cache.admit(short, RateLimit(1, within: .milliseconds(1))).isAdmitted)
            try await RunningCache.wait { await cache.admit(short, RateLimit(1, within: .milliseconds(1))).isAdmitted }
        }
    }

    @Test(arguments: CacheMake.all)
    func `many callers at once lose nothing of each other's`(_ make: CacheMake) async throws {
        try await make.withCache { cache in
            await withDiscardingTaskGroup { group in
                for number in 0..<50 {
                    group.addTask { for round in 0..<20 { await cache.set(CacheKey(.session, "\(id)-\(number)"), [UInt8(round)]) } }
                }
            }
            let keys = (0..<50).map { CacheKey(.session, "\(id)-\($0)") }
            #expect(await cache.get(keys) == Dictionary(uniqueKeysWithValues: keys.map { ($0, [19]) }))
        }
    }
}
