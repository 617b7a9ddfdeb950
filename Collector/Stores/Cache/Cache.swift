/// The role of the store that only makes things faster: losing it all loses nothing, and every use has a path without it. So it has no
/// errors: what cannot be got is not there. How long keys live and how large they may be is their kind's; a value that is larger is not kept, nor
/// what was there before it.
package protocol Cache: Sendable {
    /// The values that are there and still live.
    func get(_ keys: [CacheKey]) async -> [CacheKey: [UInt8]]

    /// All changes together, in order.
    func write(_ writes: [CacheWrite]) async

    func remove(_ keys: [CacheKey]) async

    /// Lets what is there live as long as if it were written now, and brings back nothing.
    /// - Returns: what is there.
    func touch(_ keys: [CacheKey]) async -> Set<CacheKey>

    /// The elements of a list, the newest first.
    func recent(_ key: CacheKey) async -> [[UInt8]]

    /// Asks whether one more is within a limit, and counts it if so.
    func admit(_ key: CacheKey, _ limit: RateLimit) async -> Admission

    /// How often what `get` was asked for was there, since the start.
    var counts: CacheCounts { get }
}

extension Cache {
    package func get(_ key: CacheKey) async -> [UInt8]? { await get([key])[key] }
    package func set(_ key: CacheKey, _ value: [UInt8]) async { await write([.set(key, value)]) }
    package func remove(_ key: CacheKey) async { await remove([key]) }
}

package struct CacheCounts: Equatable, Sendable {
    package var hits: Int
    package var misses: Int

    package init(hits: Int = 0, misses: Int = 0) {
        self.hits = hits
        self.misses = misses
    }
}
