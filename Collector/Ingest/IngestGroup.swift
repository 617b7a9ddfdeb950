import DocumentStores
import Telemetry
import TimeSeriesStores

/// The bounds of one commit.
package struct GroupLimits: Sendable {
    /// Samples of decoded blocks, which bound the group's memory; a document counts one. The embedded store writes a row a block, so that it is
    /// the bytes that make a group full.
    package var rowsMax = 1_000_000
    package var bytesMax = 4 * 1024 * 1024
    package var messagesMax = 4_096

    package init() {}
}

/// Messages that are judged and will be committed and acknowledged together.
struct IngestGroup {
    struct Document {
        let batch: Batch
        let type: String
        let body: JSONValue
    }

    struct Refused {
        let device: DeviceId
        /// Nil when the header could not be read.
        let batch: (stream: StreamId, sequence: Sequence64)?
        let refusal: Refusal
        let bytes: [UInt8]
    }

    private(set) var samples: [IncomingBatch] = []
    var documents: [Document] = []
    /// The last word of each device.
    private(set) var presence: [DeviceId: Bool] = [:]
    var refused: [Refused] = []
    private(set) var messages = 0
    private(set) var rows = 0
    private(set) var bytes = 0

    var isEmpty: Bool { messages == 0 }

    func isFull(_ limits: GroupLimits) -> Bool {
        rows >= limits.rowsMax || bytes >= limits.bytesMax || messages >= limits.messagesMax
    }

    mutating func add(_ verdict: BatchCheck.Verdict, bytes message: [UInt8]) {
        messages += 1
        bytes += message.count
        switch verdict {
        case .samples(let batch, let block):
            rows += block.timestamps.count * max(1, block.columns.count)
            samples.append(IncomingBatch(batch: batch, block: block))
        case .document(let batch, let type, let body):
            rows += 1
            documents.append(Document(batch: batch, type: type, body: body))
        case .presence(let device, let isOnline): presence[device] = isOnline
        case .refused(let device, let stream, let sequence, let refusal):
            refused.append(Refused(device: device, batch: (stream, sequence), refusal: refusal, bytes: message))
        case .unreadable(let device, let refusal): refused.append(Refused(device: device, batch: nil, refusal: refusal, bytes: message))
        case .foreign: break
        }
    }

    /// What the store is asked to take, in one commit.
    var incoming: [IncomingBatch] { samples + documents.map { IncomingBatch(batch: $0.batch) } }
}
