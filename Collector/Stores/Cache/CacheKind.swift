/// The kinds of keys that there are, each with its place in the key space, its form, how long it lives and how much of it there may be.
///
/// | kind | key | form | lives | bytes of a value | elements | keys |
/// |---|---|---|---|---|---|---|
/// | certificate | `cert:{id}` | value | 1 h | 64 KiB | – | 200,000 |
/// | certificateValidation | `cert:validation:{id}` | value | 1 h | 16 KiB | – | 200,000 |
/// | deviceStatus | `device:{id}:status` | value | 1 h | 4 KiB | – | 100,000 |
/// | deviceMetrics | `device:{id}:metrics` | list | 1 h | 4 KiB | 20 | 100,000 |
/// | transaction | `tx:{hash}` | value | 1 h | 16 KiB | – | 100,000 |
/// | chainMetrics | `chain:{id}:metrics` | list | 1 h | 4 KiB | 100 | 1,000 |
/// | quantumCertificate | `quantum_cert:{id}` | value | 1 h | 64 KiB | – | 100,000 |
/// | quantumKeys | `quantum:keys:{id}` | value, wrapped | 1 h | 64 KiB | – | 100,000 |
/// | query | `query:{hash}` | value | 60 s | 1 MiB | – | 1,000 |
/// | series | `series:{id}` | value | 1 h | 512 KiB | – | 10,000 |
/// | session | `session:{id}` | value | 12 h | 4 KiB | – | 10,000 |
/// | sessionEra | `session:era:{user}` | value | 12 h | 1 KiB | – | 10,000 |
/// | rateLimit | `ratelimit:{client}` | window | as its window | 64 | 1,000 | 100,000 |
///
/// The braces stand in the key: what stands between them decides the slot in a cluster, so that the keys of one thing are together.
package enum CacheKind: String, CaseIterable, Sendable {
    case certificate
    case certificateValidation = "certificate_validation"
    case deviceStatus = "device_status"
    case deviceMetrics = "device_metrics"
    case transaction
    case chainMetrics = "chain_metrics"
    case quantumCertificate = "quantum_certificate"
    case quantumKeys = "quantum_keys"
    case query
    case series
    case session
    case sessionEra = "session_era"
    case rateLimit = "rate_limit"

    package enum Form: Sendable {
        /// Bytes.
        case value
        /// Bytes, the newest first, as many as `elementsMax`.
        case list
        /// Times at which something was admitted.
        case window
    }

    private struct Rule {
        let prefix: String
        var suffix = ""
        var form = Form.value
        var seconds = 3_600
        var kibibytes = 64
        var elements = 1
        let keys: Int
        /// A store can say the same.
        var isCopy = true
    }

    private var rule: Rule {
        switch self {
        case .certificate: Rule(prefix: "cert:", keys: 200_000)
        case .certificateValidation: Rule(prefix: "cert:validation:", kibibytes: 16, keys: 200_000)
        case .deviceStatus: Rule(prefix: "device:", suffix: ":status", kibibytes: 4, keys: 100_000)
        case .deviceMetrics: Rule(prefix: "device:", suffix: ":metrics", form: .list, kibibytes: 4, elements: 20, keys: 100_000)
        case .transaction: Rule(prefix: "tx:", kibibytes: 16, keys: 100_000)
        case .chainMetrics: Rule(prefix: "chain:", suffix: ":metrics", form: .list, kibibytes: 4, elements: 100, keys: 1_000)
        case .quantumCertificate: Rule(prefix: "quantum_cert:", keys: 100_000)
        case .quantumKeys: Rule(prefix: "quantum:keys:", keys: 100_000)
        case .query: Rule(prefix: "query:", seconds: 60, kibibytes: 1_024, keys: 1_000)
        case .series: Rule(prefix: "series:", kibibytes: 512, keys: 10_000)
        case .session: Rule(prefix: "session:", seconds: 43_200, kibibytes: 4, keys: 10_000, isCopy: false)
        case .sessionEra: Rule(prefix: "session:era:", seconds: 43_200, kibibytes: 1, keys: 10_000, isCopy: false)
        case .rateLimit: Rule(prefix: "ratelimit:", form: .window, elements: RateLimit.countMax, keys: 100_000, isCopy: false)
        }
    }

    package var form: Form { rule.form }
    /// From the last write; a window lives as long as its `RateLimit` says.
    package var timeToLive: Duration { .seconds(rule.seconds) }
    /// Of a value, or of an element of a list. What is longer is not kept.
    package var valueBytesMax: Int { rule.kibibytes * 1_024 }
    package var elementsMax: Int { rule.elements }
    package var keysMax: Int { rule.keys }
    /// Whether the stores have it too, so that losing it costs time alone.
    package var isCopy: Bool { rule.isCopy }

    func text(_ id: String) -> String {
        let rule = rule
        return rule.prefix + "{" + id + "}" + rule.suffix
    }

    /// The kind of a key as it stands in the key space; nil when it is none of ours.
    package init?(of text: String) {
        let found = Self.allCases.first { kind in
            let rule = kind.rule
            return text.hasPrefix(rule.prefix + "{") && text.hasSuffix("}" + rule.suffix)
        }
        guard let found else { return nil }
        self = found
    }
}
