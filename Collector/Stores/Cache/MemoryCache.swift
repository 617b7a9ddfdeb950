import Synchronization

/// The make of the cache that lives in this process: bounded in entries and bytes, the least recently used go first.
package final class MemoryCache: Cache {
    package static let entriesMaxDefault = 200_000
    package static let bytesMaxDefault = 64 * 1024 * 1024

    private let entries: Mutex<RecentlyUsed>
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(
        entriesMax: Int = entriesMaxDefault, bytesMax: Int = bytesMaxDefault,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        entries = Mutex(RecentlyUsed(entriesMax: entriesMax, bytesMax: bytesMax))
        self.now = now
    }

    package func get(_ keys: [CacheKey]) async -> [CacheKey: [UInt8]] {
        let now = now()
        return entries.withLock { entries in
            var found: [CacheKey: [UInt8]] = [:]
            for key in keys { found[key] = entries.value(of: key, at: now) }
            return found
        }
    }

    package func set(_ values: [CacheKey: [UInt8]], timeToLive: Duration) async {
        let expires = now().advanced(by: timeToLive)
        entries.withLock { entries in for (key, value) in values { entries.set(key, value, expires: expires) } }
    }

    package func remove(_ key: CacheKey) async { entries.withLock { $0.remove(key) } }

    package var count: Int { entries.withLock { $0.count } }
}

/// A dictionary whose entries stand in a doubly linked list by their last use. Links are indices into `nodes`.
private struct RecentlyUsed {
    private struct Node {
        var key: CacheKey
        var value: [UInt8]
        var expires: ContinuousClock.Instant
        var newer: Int?
        var older: Int?

        var bytes: Int { key.text.utf8.count + value.count }
    }

    private let entriesMax: Int
    private let bytesMax: Int
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var indexOf: [CacheKey: Int] = [:]
    private var newest: Int?
    private var oldest: Int?
    private var bytes = 0

    init(entriesMax: Int, bytesMax: Int) {
        self.entriesMax = entriesMax
        self.bytesMax = bytesMax
    }

    var count: Int { indexOf.count }

    mutating func value(of key: CacheKey, at now: ContinuousClock.Instant) -> [UInt8]? {
        guard let index = indexOf[key] else { return nil }
        guard nodes[index].expires > now else {
            remove(key)
            return nil
        }
        unlink(index)
        link(index)
        return nodes[index].value
    }

    mutating func set(_ key: CacheKey, _ value: [UInt8], expires: ContinuousClock.Instant) {
        remove(key)
        let node = Node(key: key, value: value, expires: expires)
        guard node.bytes <= bytesMax, entriesMax > 0 else { return }
        while let oldest, count >= entriesMax || bytes + node.bytes > bytesMax { remove(nodes[oldest].key) }
        let index = free.popLast() ?? nodes.count
        if index == nodes.count { nodes.append(node) } else { nodes[index] = node }
        indexOf[key] = index
        bytes += node.bytes
        link(index)
    }

    mutating func remove(_ key: CacheKey) {
        guard let index = indexOf.removeValue(forKey: key) else { return }
        unlink(index)
        bytes -= nodes[index].bytes
        nodes[index].value = []
        free.append(index)
    }

    private mutating func link(_ index: Int) {
        nodes[index].newer = nil
        nodes[index].older = newest
        if let newest { nodes[newest].newer = index }
        newest = index
        if oldest == nil { oldest = index }
    }

    private mutating func unlink(_ index: Int) {
        let (newer, older) = (nodes[index].newer, nodes[index].older)
        if let newer { nodes[newer].older = older } else { newest = older }
        if let older { nodes[older].newer = newer } else { oldest = newer }
    }
}
