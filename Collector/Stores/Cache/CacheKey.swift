/// A key of the cache: a kind and the id of what it is about.
package struct CacheKey: Hashable, Sendable, CustomStringConvertible {
    package let kind: CacheKind
    /// As it stands in the key space.
    package let text: String
    package var description: String { text }

    package init(_ kind: CacheKind, _ id: String) {
        self.kind = kind
        text = kind.text(id)
    }

    /// JSON: `status`, `last_seen` (milliseconds since 1970), and `latest`: the newest values and their time, empty when there are none.
    package static func deviceStatus(_ device: String) -> CacheKey { CacheKey(.deviceStatus, device) }
    /// JSON of the newest values of recent groups.
    package static func deviceMetrics(_ device: String) -> CacheKey { CacheKey(.deviceMetrics, device) }

    package static func == (one: CacheKey, other: CacheKey) -> Bool { one.text == other.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// A change of the cache.
package enum CacheWrite: Sendable {
    case set(CacheKey, [UInt8])
    /// The same where there is none: of many callers one's value is there for all.
    case add(CacheKey, [UInt8])
    /// Puts an element at the head of a list, whose last ones go.
    case append(CacheKey, [UInt8])

    package var key: CacheKey {
        switch self {
        case .set(let key, _), .add(let key, _), .append(let key, _): key
        }
    }

    package var value: [UInt8] {
        switch self {
        case .set(_, let value), .add(_, let value), .append(_, let value): value
        }
    }

    package var isAppend: Bool { if case .append = self { true } else { false } }
    package var isAdd: Bool { if case .add = self { true } else { false } }
}
