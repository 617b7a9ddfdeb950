import DocumentStores
import Telemetry

/// A document that a device sent.
package struct ReceivedDocument: Sendable {
    package let device: DeviceId
    package let type: String
    /// The whole object, `type` included.
    package let body: JSONValue
    /// By the device's clock: UTC, milliseconds since 1970.
    package let sealedAt: Int64
    /// By the collector's clock.
    package let receivedAt: Int64

    package init(device: DeviceId, type: String, body: JSONValue, sealedAt: Int64, receivedAt: Int64) {
        self.device = device
        self.type = type
        self.body = body
        self.sealedAt = sealedAt
        self.receivedAt = receivedAt
    }
}

/// A service that takes documents of some types. It is handed each before its batch is taken, and again when the device sends it again, so what it
/// writes must be the same the second time.
package protocol DocumentReceiver: Sendable {
    var documentTypes: Set<String> { get }

    /// Returns when the document is durable. Throws a `Refusal` for a document that will never be accepted; any other error means that a store
    /// is down, and the document is handed over again.
    func receive(_ document: ReceivedDocument) async throws
}

/// A service that wants to know which devices are connected.
package protocol PresenceReceiver: Sendable {
    /// For each device whether it is connected, though it may be no news.
    /// - Parameter at: by the collector's clock: UTC, milliseconds since 1970.
    func presenceChanged(_ isOnline: [DeviceId: Bool], at: Int64) async throws

    /// A connection to the broker began: each device's word comes anew, and those from before count no more.
    func presenceBegan(at: Int64) async
}

/// What a group brought of one device.
package struct DeviceActivity: Equatable, Sendable {
    /// By the collector's clock: UTC, milliseconds since 1970.
    package let at: Int64
    /// The newest tick among what was committed; nil when there were no samples.
    package let newest: Tick?
    /// Some of it is in the stores; false when all of it was refused.
    package let isStored: Bool

    package init(at: Int64, newest: Tick?, isStored: Bool = true) {
        self.at = at
        self.newest = newest
        self.isStored = isStored
    }
}

/// A service that wants to know what was committed, and of whom everything was refused. It is told after the fact and cannot hold anything up, so it must not fail.
package protocol CommitReceiver: Sendable {
    func committed(_ activity: [DeviceId: DeviceActivity]) async
}
