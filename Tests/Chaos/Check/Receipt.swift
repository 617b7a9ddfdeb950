import Foundation

/// What a device itself says that it could not keep: an event `eviction_receipt` as the collector has stored it.
package struct Receipt: Equatable, Sendable {
    package var isThinned: Bool
    package var cause: String
    /// Times of the ticks by the device's clock, in milliseconds; nil where the device did not know them.
    package var from: Int64?
    package var to: Int64?
    package var ticks: Int
    package var samples: Int
    package var samplesLeft: Int

    package init(isThinned: Bool, cause: String, from: Int64?, to: Int64?, ticks: Int, samples: Int, samplesLeft: Int) {
        self.isThinned = isThinned
        self.cause = cause
        self.from = from
        self.to = to
        self.ticks = ticks
        self.samples = samples
        self.samplesLeft = samplesLeft
    }
}

/// What devices have told of damage and loss.
package struct Notices: Equatable, Sendable {
    package var receipts: [Receipt] = []
    /// When the collector heard of damage: milliseconds since 1970.
    package var damageHeardAt: [Int64] = []

    package init() {}

    /// Takes an event's document as it lies in the collector's store; whether it was one of those that count here.
    package mutating func add(_ document: [String: Any]) {
        let body = document["body"] as? [String: Any] ?? document
        let heardAt = (document["receivedAt"] as? NSNumber)?.int64Value ?? 0
        switch body["type"] as? String {
        case "eviction_receipt":
            let cause = body["cause"] as? String ?? ""
            if cause == "damage" { damageHeardAt.append(heardAt) }
            receipts.append(
                Receipt(
                    isThinned: body["action"] as? String == "thinned", cause: cause, from: Self.time(body["from"]), to: Self.time(body["to"]),
                    ticks: Self.number(body["ticks"]), samples: Self.number(body["samples"]), samplesLeft: Self.number(body["samples_left"])))
        case "damaged_buffer", "damaged_batch": damageHeardAt.append(heardAt)
        default: break
        }
    }

    private static func number(_ value: Any?) -> Int { (value as? NSNumber)?.intValue ?? 0 }

    private static func time(_ value: Any?) -> Int64? {
        guard let text = value as? String else { return nil }
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        return (try? Date(text, strategy: style)).map { Int64(($0.timeIntervalSince1970 * 1000).rounded()) }
    }
}
