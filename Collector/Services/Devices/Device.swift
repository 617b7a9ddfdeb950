import DocumentStores
import Telemetry

/// Whether a device is connected to the broker, as far as is known.
package enum DeviceStatus: String, Sendable {
    case online, offline, unknown
}

/// A device in the registry: the document of the collection `devices`.
package struct Device: Equatable, Sendable {
    package let id: DeviceId
    package var status: DeviceStatus = .unknown
    /// Since when nobody can say, where that is known: the collector lost the broker then. Not kept.
    package var unknownSince: Int64?
    /// By the collector's clock: UTC, milliseconds since 1970.
    package var firstSeen: Int64
    /// When the last batch was committed, as it was written at the latest `DeviceService.seenInterval` afterwards; nil before the first.
    package var lastSeen: Int64?
    /// What the device told of itself: names to texts and numbers.
    package var facts: JSONValue?
    /// What operators call it by: `site` and `group` among them.
    package var labels: [String: String] = [:]
    /// When it told that, by its own clock: older facts that arrive late don't replace newer ones.
    var factsAt: Int64?

    init(id: DeviceId, firstSeen: Int64) {
        self.id = id
        self.firstSeen = firstSeen
    }

    var document: Document {
        var body: [String: JSONValue] = ["deviceId": .string(id.text), "status": .string(status.rawValue), "firstSeen": .integer(firstSeen)]
        if let lastSeen { body["lastSeen"] = .integer(lastSeen) }
        if let facts { body["facts"] = facts }
        if !labels.isEmpty { body["labels"] = .object(labels.mapValues { .string($0) }) }
        if let factsAt { body["factsAt"] = .integer(factsAt) }
        return Document(id.text, .object(body))
    }

    init?(_ document: Document) {
        guard let id = DeviceId(document.id), let firstSeen = document["firstSeen"]?.integer else { return nil }
        self.init(id: id, firstSeen: firstSeen)
        status = document["status"]?.text.flatMap(DeviceStatus.init) ?? .unknown
        lastSeen = document["lastSeen"]?.integer
        facts = document["facts"]
        factsAt = document["factsAt"]?.integer
        labels = (document["labels"]?.object ?? [:]).compactMapValues { $0.text }
    }
}

/// Something that a device's document is to say from now on. Several collectors change it, so that a change names what changes and no more.
enum DeviceChange: Sendable {
    /// It is there; nothing else is known.
    case heard
    case status(DeviceStatus)
    case seen(at: Int64)
    /// `at` is by the device's own clock.
    case facts(JSONValue, at: Int64)
    /// In the place of those that it had.
    case labels([String: String])
}

extension Device {
    /// False when it says so already, or something newer.
    mutating func apply(_ change: DeviceChange) -> Bool {
        switch change {
        case .heard: return false
        case .status(let told):
            guard status != told else { return false }
            status = told
        case .seen(let at):
            guard at > lastSeen ?? .min else { return false }
            lastSeen = at
        case .labels(let given):
            guard labels != given else { return false }
            labels = given
        case .facts(let told, let at):
            guard at >= factsAt ?? .min else { return false }
            facts = told
            factsAt = at
        }
        return true
    }
}

/// A device as lists show it.
package struct DeviceRow: Equatable, Sendable {
    package let device: Device
    package let latest: LatestValues?
}

/// A device as its own page shows it.
package struct DeviceDetail: Sendable {
    package let row: DeviceRow
    /// As texts.
    package let series: [String]
    package let samplesStored: Int64
}
