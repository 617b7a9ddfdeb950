import CollectorIngest
import Telemetry
import TimeSeriesStores

/// A collector's handle on the real embedded store, and the ledger that is told what it has written. One store serves many seeds, whose devices
/// have names of their own.
final class SimulatedStore {
    struct Answer {
        let device: DeviceId
        let stream: StreamId
        let sequence: Sequence64
        let outcome: Acknowledgement.Outcome
    }

    private let store: EmbeddedTimeSeriesStore
    private let ledger: Ledger
    private let time: VirtualTime
    private let canary: Canary?

    init(_ store: EmbeddedTimeSeriesStore, ledger: Ledger, time: VirtualTime, canary: Canary?) {
        self.store = store
        self.ledger = ledger
        self.time = time
        self.canary = canary
    }

    /// Commits what can be accepted of these messages; what the devices are to be told.
    func commit(_ messages: [(topic: String, bytes: [UInt8])]) async throws -> [Answer] {
        var incoming: [(batch: IncomingBatch, verdict: BatchCheck.Verdict)] = []
        var answers: [Answer] = []
        for message in messages {
            let verdict = BatchCheck.judge(topic: message.topic, bytes: message.bytes, now: time.wall)
            switch verdict {
            case .samples(let batch, let block): incoming.append((IncomingBatch(batch: batch, block: block), verdict))
            case .document(let batch, _, _, let receipt): incoming.append((IncomingBatch(batch: batch, receipt: receipt), verdict))
            case .refused(let device, let batch, let refusal):
                let outcome = Acknowledgement.Outcome.refused(reason: refusal.description)
                answers.append(Answer(device: device, stream: batch.stream, sequence: batch.sequence, outcome: outcome))
            case .unreadable(let device, let refusal):
                answers.append(Answer(device: device, stream: 0, sequence: 1, outcome: .refused(reason: refusal.description)))
            case .presence, .foreign: break
            }
        }
        let outcomes = try await store.commit(incoming.map(\.batch))
        for (index, outcome) in outcomes.enumerated() { answers.append(note(incoming[index].verdict, incoming[index].batch.batch, outcome)) }
        return answers
    }

    private func note(_ verdict: BatchCheck.Verdict, _ batch: Batch, _ outcome: CommitOutcome) -> Answer {
        let isWritten = outcome == .committed || canary == .writesTwice && outcome == .duplicate
        if isWritten {
            switch verdict {
            case .samples(let batch, let block): ledger.committed(batch, block)
            case .document(let batch, let type, let body, _): ledger.committed(batch, type: type, body)
            default: break
            }
        }
        var told = Acknowledgement.Outcome.committed
        if outcome != .committed && outcome != .duplicate { told = .refused(reason: "\(outcome)") }
        return Answer(device: batch.device, stream: batch.stream, sequence: batch.sequence, outcome: told)
    }

    /// Samples of a device, as the store itself counts them.
    func sampleCount(of device: DeviceId) async throws -> Int64 { try await store.sampleCount(of: device) }
}
