/// The role of the store that only makes things faster: losing it all loses nothing, and every use has a path without it. So it has no
/// errors: what cannot be got is not there.
package protocol Cache: Sendable {
    /// The values that are there and still live.
    func get(_ keys: [CacheKey]) async -> [CacheKey: [UInt8]]
    func set(_ values: [CacheKey: [UInt8]], timeToLive: Duration) async
    func remove(_ key: CacheKey) async
}

extension Cache {
    package func get(_ key: CacheKey) async -> [UInt8]? { await get([key])[key] }
    package func set(_ key: CacheKey, _ value: [UInt8], timeToLive: Duration) async { await set([key: value], timeToLive: timeToLive) }
}
