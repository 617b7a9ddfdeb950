import DocumentStores
import ServiceSupport
import Synchronization
import Telemetry

/// Hands documents to their services and events to their collection, before their batches are taken. What a service or the store refuses moves to
/// the group's refused.
final class DocumentDelivery: Sendable {
    /// Events kept, all devices together; the oldest go.
    static let eventsMax = 100_000
    /// Events between two looks at that bound, which go through the whole index.
    private static let eventsTrimInterval = 1_000

    private let documents: any DocumentStore
    private let receiverOf: [String: any DocumentReceiver]
    private let eventsSinceTrim = Mutex(0)

    init(_ documents: any DocumentStore, receivers: [any DocumentReceiver]) {
        self.documents = documents
        var receiverOf: [String: any DocumentReceiver] = [:]
        for receiver in receivers { for type in receiver.documentTypes { receiverOf[type] = receiver } }
        self.receiverOf = receiverOf
    }

    /// - Parameter now: UTC, milliseconds since 1970.
    func deliver(_ group: inout IngestGroup, at now: Int64) async throws {
        let areEventsStored = try await storeEvents(group.documents, at: now)
        var accepted: [IngestGroup.Document] = []
        for document in group.documents {
            do {
                if document.batch.kind == .document {
                    try await deliver(document, at: now)
                } else if !areEventsStored {
                    try await documents.apply([Self.event(document, at: now)])
                }
                accepted.append(document)
            } catch let refusal as Refusal {
                group.refused.append(Self.refused(document, refusal))
            } catch let error as StoreError where error.reason == .refused {
                group.refused.append(Self.refused(document, Refusal(.storeRefused, error.detail)))
            }
        }
        group.documents = accepted
    }

    private static func refused(_ document: IngestGroup.Document, _ refusal: Refusal) -> IngestGroup.Refused {
        IngestGroup.Refused(device: document.batch.device, batch: document.batch, refusal: refusal, bytes: document.batch.encoded())
    }

    private func deliver(_ document: IngestGroup.Document, at now: Int64) async throws {
        guard let receiver = receiverOf[document.type] else {
            throw Refusal(.unknownType, "this collector knows no documents of type " + String(document.type.prefix(64)))
        }
        try await receiver.receive(
            ReceivedDocument(
                device: document.batch.device, type: document.type, body: document.body, sealedAt: document.batch.sealedAt, receivedAt: now))
    }

    /// False when the store refuses one of them and each has to be tried by itself.
    private func storeEvents(_ group: [IngestGroup.Document], at now: Int64) async throws -> Bool {
        var changes = group.filter { $0.batch.kind == .event }.map { Self.event($0, at: now) }
        guard !changes.isEmpty else { return true }
        let isTrimDue = eventsSinceTrim.withLock { count in
            count += changes.count
            guard count >= Self.eventsTrimInterval else { return false }
            count = 0
            return true
        }
        if isTrimDue { changes.append(.keepGreatest(Self.eventsMax, by: "at", in: .events)) }
        do {
            try await documents.apply(changes)
        } catch let error as StoreError where error.reason == .refused { return false }
        return true
    }

    /// Events keep the id of their batch, so that one that is sent again is the same document; a salvaged one has that of its first life.
    private static func event(_ event: IngestGroup.Document, at now: Int64) -> DocumentChange {
        let batch = event.batch
        let name = batch.origin ?? Batch.Origin(stream: batch.stream, sequence: batch.sequence)
        let id = batch.device.text + "/" + String(name.stream, radix: 16) + "/" + String(name.sequence)
        let body: JSONValue = [
            "device": .string(batch.device.text), "type": .string(event.type), "at": .integer(batch.sealedAt), "receivedAt": .integer(now),
            "body": event.body,
        ]
        return .upsert(Document(id, body), in: .events)
    }
}
