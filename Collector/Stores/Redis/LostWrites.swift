import CacheStores

/// What the server may hold that is older than the stores: keys whose last write or removal did not reach it, as far as is known. They are not read
/// before they have been removed there. A value.
package struct LostWrites: Sendable {
    /// Keys remembered; beyond it every copy is suspect.
    package static let keysMax = 50_000

    /// What was suspect at a moment.
    package struct Snapshot: Sendable {
        package let isAll: Bool
        package let keys: [CacheKey]
        fileprivate let stamp: UInt64
    }

    /// Each with when it was lost last.
    private var keys: [CacheKey: UInt64] = [:]
    private var stamp: UInt64 = 1
    /// When every copy was; nil when not. What a server holds when it is first met may be from any time.
    private var allLostAt: UInt64? = 0

    package init() {}

    package var isEmpty: Bool { keys.isEmpty && allLostAt == nil }
    package var count: Int { keys.count }

    package func isSuspect(_ key: CacheKey) -> Bool { key.kind.isCopy && allLostAt != nil || keys[key] != nil }

    package mutating func lost(_ lost: some Sequence<CacheKey>) {
        stamp += 1
        for key in lost { keys[key] = stamp }
        guard keys.count > Self.keysMax else { return }
        allLostAt = stamp
        keys = keys.filter { !$0.key.kind.isCopy }
        // Nobody has as many sessions; what cannot be remembered lives until its time is over.
        if keys.count > Self.keysMax { keys.removeAll() }
    }

    package mutating func lostAll() {
        stamp += 1
        allLostAt = stamp
    }

    package var snapshot: Snapshot { Snapshot(isAll: allLostAt != nil, keys: Array(keys.keys), stamp: stamp) }

    /// What was suspect then has been removed from the server; what was lost since then has not.
    package mutating func removed(_ snapshot: Snapshot) {
        if let at = allLostAt, snapshot.isAll, at <= snapshot.stamp { allLostAt = nil }
        for key in snapshot.keys { if let at = keys[key], at <= snapshot.stamp { keys[key] = nil } }
    }
}
