import DocumentStores
import Synchronization
import Telemetry
import TimeSeriesStores

/// Brings a group into the stores: documents to their services, events to their collection, then everything in the time-series store's one commit.
/// Each step may be done again after a later one failed.
final class GroupWriter: Sendable {
    enum Outcome {
        case committed, duplicate
        case refused(Refusal)

        var name: String {
            switch self {
            case .committed: "committed"
            case .duplicate: "duplicate"
            case .refused: "refused"
            }
        }

        var acknowledged: Acknowledgement.Outcome {
            switch self {
            case .committed, .duplicate: .committed
            case .refused(let refusal): .refused(reason: refusal.description)
            }
        }
    }

    /// A batch that the device can be told about.
    struct Settled {
        let batch: Batch
        let outcome: Outcome
        /// Samples written.
        let samples: Int
    }

    struct Result {
        var settled: [Settled] = []
        /// Refused before the commit; not among `settled`.
        var refused: [IngestGroup.Refused] = []
        var activity: [DeviceId: DeviceActivity] = [:]
    }

    /// Events kept, all devices together; the oldest go.
    static let eventsMax = 100_000
    /// Events between two looks at that bound, which go through the whole index.
    private static let eventsTrimInterval = 1_000

    private let store: any TimeSeriesStore
    private let documents: any DocumentStore
    private let receivers: IngestPipeline.Receivers
    private let receiverOf: [String: any DocumentReceiver]
    private let eventsSinceTrim = Mutex(0)

    init(store: any TimeSeriesStore, documents: any DocumentStore, receivers: IngestPipeline.Receivers) {
        self.store = store
        self.documents = documents
        self.receivers = receivers
        var receiverOf: [String: any DocumentReceiver] = [:]
        for receiver in receivers.documents { for type in receiver.documentTypes { receiverOf[type] = receiver } }
        self.receiverOf = receiverOf
    }

    /// - Parameter now: UTC, milliseconds since 1970.
    func write(_ group: IngestGroup, at now: Int64) async throws -> Result {
        var group = group
        try await deliverDocuments(&group, at: now)
        try await storeEvents(group, at: now)
        for (device, isOnline) in group.presence {
            for receiver in receivers.presence { try await receiver.presenceChanged(of: device, isOnline: isOnline, at: now) }
        }
        var result = Result(refused: group.refused)
        let incoming = group.incoming
        if !incoming.isEmpty { settle(incoming, try await store.commit(incoming), at: now, into: &result) }
        let forgotten = result.settled.filter { $0.outcome.name == "refused" }.map { settled in
            QuarantinedItem(device: settled.batch.device, reason: "forgotten", at: now, bytes: settled.batch.encoded())
        }
        let quarantined = group.refused.map { Self.quarantined($0, at: now) } + forgotten
        if !quarantined.isEmpty { try await store.quarantine(quarantined) }
        return result
    }

    private static func quarantined(_ refused: IngestGroup.Refused, at now: Int64) -> QuarantinedItem {
        QuarantinedItem(
            device: refused.device, reason: refused.refusal.description, at: now, bytes: Array(refused.bytes.prefix(Batch.bytesMax)))
    }

    /// Hands documents to their services; those that are refused move to the group's refused.
    private func deliverDocuments(_ group: inout IngestGroup, at now: Int64) async throws {
        var accepted: [IngestGroup.Document] = []
        for document in group.documents {
            do {
                if document.batch.kind == .document { try await deliver(document, at: now) }
                accepted.append(document)
            } catch let refusal as Refusal {
                let batch = document.batch
                group.refused.append(
                    IngestGroup.Refused(
                        device: batch.device, batch: (batch.stream, batch.sequence), refusal: refusal, bytes: batch.encoded()))
            }
        }
        group.documents = accepted
    }

    private func deliver(_ document: IngestGroup.Document, at now: Int64) async throws {
        guard let receiver = receiverOf[document.type] else {
            throw Refusal(.unknownType, "this collector knows no documents of type " + String(document.type.prefix(64)))
        }
        try await receiver.receive(
            ReceivedDocument(
                device: document.batch.device, type: document.type, body: document.body, sealedAt: document.batch.sealedAt, receivedAt: now))
    }

    /// Events keep the id of their batch, so that one that is sent again is the same document.
    private func storeEvents(_ group: IngestGroup, at now: Int64) async throws {
        var changes: [DocumentChange] = []
        for event in group.documents where event.batch.kind == .event {
            let batch = event.batch
            let id = batch.device.text + "/" + String(batch.stream, radix: 16) + "/" + String(batch.sequence)
            let body: JSONValue = [
                "device": .string(batch.device.text), "type": .string(event.type), "at": .integer(batch.sealedAt),
                "receivedAt": .integer(now), "body": event.body,
            ]
            changes.append(.upsert(Document(id, body), in: .events))
        }
        guard !changes.isEmpty else { return }
        let isTrimDue = eventsSinceTrim.withLock { count in
            count += changes.count
            guard count >= Self.eventsTrimInterval else { return false }
            count = 0
            return true
        }
        if isTrimDue { changes.append(.keepGreatest(Self.eventsMax, by: "at", in: .events)) }
        try await documents.apply(changes)
    }

    private func settle(_ incoming: [IncomingBatch], _ outcomes: [CommitOutcome], at now: Int64, into result: inout Result) {
        precondition(outcomes.count == incoming.count, "a store gives one outcome a batch")
        for (incoming, outcome) in zip(incoming, outcomes) {
            let isNew = outcome == .committed
            let samples = isNew ? incoming.block?.sampleCount ?? 0 : 0
            result.settled.append(Settled(batch: incoming.batch, outcome: Self.outcome(outcome), samples: samples))
            let device = incoming.batch.device
            let known = result.activity[device]?.newest
            let newest = isNew ? incoming.block?.newestTick : nil
            let isNewer = (newest?.at ?? .min) >= (known?.at ?? .min)
            result.activity[device] = DeviceActivity(at: now, newest: isNewer ? newest ?? known : known)
        }
    }

    private static func outcome(_ outcome: CommitOutcome) -> Outcome {
        switch outcome {
        case .committed: .committed
        case .duplicate: .duplicate
        case .forgotten: .refused(Refusal(.forgotten, "the sequence is below what the collector keeps account of"))
        }
    }
}
