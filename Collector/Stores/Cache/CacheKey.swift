/// A key of the cache. All kinds of keys are made here and nowhere else.
///
/// | key                   | value                                                        | time to live |
/// |-----------------------|--------------------------------------------------------------|--------------|
/// | `device:{id}:status`  | JSON: `status`, `last_seen` (milliseconds since 1970)        | 1 hour       |
/// | `device:{id}:metrics` | JSON: `at` (milliseconds since 1970) and the newest values   | 1 hour       |
package struct CacheKey: Hashable, Sendable, CustomStringConvertible {
    package static let deviceTimeToLive: Duration = .seconds(3_600)

    package let text: String
    package var description: String { text }

    package static func deviceStatus(_ device: String) -> CacheKey { CacheKey(text: "device:" + device + ":status") }
    package static func deviceMetrics(_ device: String) -> CacheKey { CacheKey(text: "device:" + device + ":metrics") }
}
