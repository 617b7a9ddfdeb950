import CacheStores

/// The cache in memory, whose next write something else comes before.
actor InterruptedCache: Cache {
    private let cache = MemoryCache()
    private var interruption: (@Sendable () async -> Void)?

    func interruptNextWrite(_ interruption: @escaping @Sendable () async -> Void) { self.interruption = interruption }

    func write(_ writes: [CacheWrite]) async {
        let interruption = interruption
        self.interruption = nil
        await interruption?()
        await cache.write(writes)
    }

    func get(_ keys: [CacheKey]) async -> [CacheKey: [UInt8]] { await cache.get(keys) }
    func remove(_ keys: [CacheKey]) async { await cache.remove(keys) }
    func touch(_ keys: [CacheKey]) async -> Set<CacheKey> { await cache.touch(keys) }
    func recent(_ key: CacheKey) async -> [[UInt8]] { await cache.recent(key) }
    func admit(_ key: CacheKey, _ limit: RateLimit) async -> Admission { await cache.admit(key, limit) }
    nonisolated var counts: CacheCounts { cache.counts }
}
