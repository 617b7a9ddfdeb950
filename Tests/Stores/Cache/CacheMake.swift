import CacheStores
import RedisDriver
import RedisFixtures
import RedisStores
import ServiceSupport
import Testing

/// A make of the cache, for the suite of the role.
enum CacheMake: CustomTestStringConvertible, Sendable {
    case memory
    case redis(RedisMake)
    case cluster(RedisMake)

    static let all: [CacheMake] = [.memory] + RedisMake.available.flatMap { [.redis($0), .cluster($0)] }

    var testDescription: String {
        switch self {
        case .memory: "memory"
        case .redis(let make): make.rawValue
        case .cluster(let make): make.rawValue + ", a cluster"
        }
    }

    /// Runs `body` with an empty cache.
    func withCache(_ body: @Sendable (any Cache) async throws -> Void) async throws {
        switch self {
        case .memory: try await body(MemoryCache())
        case .redis(let make): try await RunningCache.with(SharedRedis.server(make).options) { try await body($0) }
        case .cluster(let make): try await RunningCache.with(SharedRedisCluster.cluster(make).options) { try await body($0) }
        }
    }
}

/// A cache on Redis that runs while a test does.
enum RunningCache {
    static func with<Value: Sendable>(
        _ server: RedisOptions, timeout: Duration = .seconds(20), registry: MetricsRegistry = MetricsRegistry(),
        _ body: @Sendable (RedisCache) async throws -> Value
    ) async throws -> Value {
        let cache = RedisCache(RedisCacheOptions(server, timeout: timeout))
        cache.register(in: registry)
        return try await withThrowingTaskGroup { group in
            group.addTask { await cache.run() }
            try await wait { cache.isAvailable }
            let value = try await body(cache)
            group.cancelAll()
            return value
        }
    }

    /// For what other threads and processes do; the suite's time limit ends it.
    static func wait(_ isTrue: () async throws -> Bool) async throws {
        while try await !isTrue() { try await Task.sleep(for: .milliseconds(20)) }
    }
}
