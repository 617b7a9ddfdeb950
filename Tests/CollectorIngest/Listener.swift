import CollectorFixtures
import CollectorIngest
import ServiceSupport
import Telemetry

/// Takes everything in, and keeps what it was told.
final class Listener: DocumentReceiver, PresenceReceiver, CommitReceiver {
    let told = Changeable<[String]>([])
    let documentTypes: Set<String> = ["good", "bad"]
    /// The store of documents is.
    let isDown = Changeable(false)

    private func check() throws {
        if isDown.value { throw StoreError(.unavailable, operation: "write", path: "test", detail: "down") }
    }

    func receive(_ document: ReceivedDocument) async throws {
        try check()
        if document.type == "bad" { throw Refusal(.badDocument, "says so") }
        told.change { $0.append("document \(document.type)") }
    }
    func presenceChanged(_ isOnline: [DeviceId: Bool], at: Int64) async throws {
        try check()
        told.change { told in for (device, isOnline) in isOnline { told.append("\(device) \(isOnline)") } }
    }
    func presenceBegan(at: Int64) async { told.change { $0.append("connected") } }
    func committed(_ activity: [DeviceId: DeviceActivity]) async {
        told.change { told in
            for (device, activity) in activity {
                told.append(activity.isStored ? "committed \(device) \(activity.newest?.at ?? 0)" : "refused \(device)")
            }
        }
    }
}
