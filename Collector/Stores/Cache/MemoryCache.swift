import Synchronization

/// The make of the cache that lives in this process: bounded in entries and bytes, the least recently used go first.
package final class MemoryCache: Cache {
    package static let entriesMaxDefault = 200_000
    package static let bytesMaxDefault = 64 * 1024 * 1024

    private struct State {
        var entries: RecentlyUsed
        var counts = CacheCounts()
    }

    private let state: Mutex<State>
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(
        entriesMax: Int = entriesMaxDefault, bytesMax: Int = bytesMaxDefault,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        state = Mutex(State(entries: RecentlyUsed(entriesMax: entriesMax, bytesMax: bytesMax)))
        self.now = now
    }

    package func get(_ keys: [CacheKey]) async -> [CacheKey: [UInt8]] {
        let now = now()
        return state.withLock { state in
            var found: [CacheKey: [UInt8]] = [:]
            found.reserveCapacity(keys.count)
            for key in keys { if case .value(let value)? = state.entries.content(of: key, at: now) { found[key] = value } }
            state.counts.hits += found.count
            state.counts.misses += keys.count - found.count
            return found
        }
    }

    package func write(_ writes: [CacheWrite]) async {
        let now = now()
        state.withLock { state in for write in writes { state.entries.apply(write, at: now) } }
    }

    package func remove(_ keys: [CacheKey]) async { state.withLock { state in for key in keys { state.entries.remove(key) } } }

    package func touch(_ keys: [CacheKey]) async -> Set<CacheKey> {
        let now = now()
        return state.withLock { state in
            Set(keys.filter { state.entries.extend($0, to: now.advanced(by: $0.kind.timeToLive), at: now) })
        }
    }

    /// Of what is here, takes over what another place has of it: what that has not goes.
    package func follow(_ values: [CacheKey: [UInt8]], of keys: [CacheKey]) {
        let now = now()
        state.withLock { state in
            for key in keys {
                guard case .value(let known)? = state.entries.content(of: key, at: now), known != values[key] else { continue }
                if let value = values[key] {
                    state.entries.set(key, .value(value), expires: now.advanced(by: key.kind.timeToLive))
                } else {
                    state.entries.remove(key)
                }
            }
        }
    }

    package func recent(_ key: CacheKey) async -> [[UInt8]] {
        let now = now()
        return state.withLock { if case .list(let elements)? = $0.entries.content(of: key, at: now) { elements } else { [] } }
    }

    package func admit(_ key: CacheKey, _ limit: RateLimit) async -> Admission {
        let now = now()
        return state.withLock { state in
            var window = SlidingWindow()
            if case .window(let known)? = state.entries.content(of: key, at: now) { window = known }
            let admission = window.admit(limit, at: now)
            if admission.isAdmitted { state.entries.set(key, .window(window), expires: now.advanced(by: limit.window)) }
            return admission
        }
    }

    package var counts: CacheCounts { state.withLock { $0.counts } }
    package var count: Int { state.withLock { $0.entries.count } }
}

extension RecentlyUsed {
    fileprivate mutating func apply(_ write: CacheWrite, at now: ContinuousClock.Instant) {
        let kind = write.key.kind
        guard write.value.count <= kind.valueBytesMax else { return write.isAdd ? () : remove(write.key) }
        let expires = now.advanced(by: kind.timeToLive)
        switch write {
        case .set(let key, let value): set(key, .value(value), expires: expires)
        case .add(let key, let value): if content(of: key, at: now) == nil { set(key, .value(value), expires: expires) }
        case .append(let key, let value):
            var elements: [[UInt8]] = []
            if case .list(let known)? = content(of: key, at: now) { elements = known }
            set(key, .list(Array(([value] + elements).prefix(kind.elementsMax))), expires: expires)
        }
    }
}
