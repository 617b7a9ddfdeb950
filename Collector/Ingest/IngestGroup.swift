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
    /// Names and labels of the blocks' series as they are in memory: a schema of 32 KiB can unfold to 8 MiB.
    package var seriesBytesMax = 64 * 1024 * 1024
    /// How long a group may wait to grow while others are being written, counted from its oldest message. A lone message never waits.
    package var growthMax: Duration = .zero

    package init() {}
}

/// Messages that are judged and will be committed and acknowledged together.
struct IngestGroup {
    struct Document {
        let batch: Batch
        let type: String
        let body: JSONValue
        let receipt: EvictionReceipt?
    }

    struct Refused {
        let device: DeviceId
        /// Nil when the header could not be read.
        let batch: Batch?
        let refusal: Refusal
        let bytes: [UInt8]

        /// As it goes into quarantine. What another device may have signed closes nothing in this one's account.
        func quarantined(at now: Int64) -> QuarantinedItem {
            let place = refusal.reason == .foreignDevice ? nil : batch.map { QuarantinedItem.Place(stream: $0.stream, sequences: $0.sequences) }
            return QuarantinedItem(
                device: device, reason: refusal.description, at: now, place: place, bytes: Array(bytes.prefix(QuarantinedItem.bytesMax)))
        }
    }

    private(set) var samples: [IncomingBatch] = []
    var documents: [Document] = []
    /// The last word of each device.
    private(set) var presence: [DeviceId: Bool] = [:]
    /// A connection to the broker began, and the words are of that one.
    private(set) var isConnectionNew = false
    /// When the message that has waited longest came in, nanoseconds of a clock that never steps.
    private(set) var oldest: Int64 = .max
    var refused: [Refused] = []
    private(set) var messages = 0
    private(set) var rows = 0
    private(set) var bytes = 0
    private(set) var seriesBytes = 0

    /// Nothing in it depends on the order of groups.
    var isSamplesAlone: Bool { documents.isEmpty && presence.isEmpty && !isConnectionNew && refused.isEmpty }

    var isEmpty: Bool { messages == 0 && !isConnectionNew }

    func isFull(_ limits: GroupLimits) -> Bool {
        rows >= limits.rowsMax || bytes >= limits.bytesMax || messages >= limits.messagesMax || seriesBytes >= limits.seriesBytesMax
    }

    mutating func add(_ verdict: BatchCheck.Verdict, bytes message: [UInt8], receivedAt: Int64 = .max) {
        messages += 1
        bytes += message.count
        oldest = min(oldest, receivedAt)
        switch verdict {
        case .samples(let batch, let block):
            rows += block.timestamps.count * max(1, block.columns.count)
            seriesBytes += block.columns.reduce(0) { $0 + Self.size(of: $1.series) }
            samples.append(IncomingBatch(batch: batch, block: block))
        case .document(let batch, let type, let body, let receipt):
            rows += 1
            documents.append(Document(batch: batch, type: type, body: body, receipt: receipt))
        case .presence(let device, let isOnline): presence[device] = isOnline
        case .refused(let device, let batch, let refusal):
            refused.append(Refused(device: device, batch: batch, refusal: refusal, bytes: message))
        case .unreadable(let device, let refusal): refused.append(Refused(device: device, batch: nil, refusal: refusal, bytes: message))
        case .foreign: break
        }
    }

    /// What a text takes beside its bytes: itself, and an allocation's head.
    private static let textOverhead = 48

    private static func size(of series: Series) -> Int {
        series.labels.reduce(series.metric.utf8.count + textOverhead) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 * textOverhead }
    }

    /// What was said before on an earlier connection counts no more.
    mutating func connectionBegan() {
        presence.removeAll()
        isConnectionNew = true
    }

    /// Those that sent something that could be read.
    var devices: Set<DeviceId> {
        Set(samples.lazy.map { $0.batch.device }).union(documents.lazy.map { $0.batch.device }).union(refused.lazy.map { $0.device })
    }

    /// What the store is asked to take, in one commit.
    var incoming: [IncomingBatch] { samples + documents.map { IncomingBatch(batch: $0.batch, receipt: $0.receipt) } }
}
