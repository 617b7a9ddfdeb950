import DocumentStores
import ServiceSupport
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
        /// Older items of the quarantine that had to go.
        var pushedOut = 0
    }

    private let store: any TimeSeriesStore
    private let receivers: IngestPipeline.Receivers
    private let documents: DocumentDelivery

    /// Batches of a group that the store refused, between two probes; the first is probed for.
    static let probeInterval = 16

    init(store: any TimeSeriesStore, documents: any DocumentStore, receivers: IngestPipeline.Receivers) {
        self.store = store
        self.receivers = receivers
        self.documents = DocumentDelivery(documents, receivers: receivers.documents)
    }

    /// - Parameter now: UTC, milliseconds since 1970.
    /// - Parameter isReplay: what is refused is in quarantine already.
    func write(_ group: IngestGroup, at now: Int64, isReplay: Bool = false) async throws -> Result {
        var group = group
        try await documents.deliver(&group, at: now)
        if group.isConnectionNew { for receiver in receivers.presence { await receiver.presenceBegan(at: now) } }
        if !group.presence.isEmpty { for receiver in receivers.presence { try await receiver.presenceChanged(group.presence, at: now) } }
        var result = Result(refused: group.refused)
        let incoming = group.incoming
        var refused = 0
        settle(incoming, try await commit(incoming[...], &refused), at: now, into: &result)
        if !isReplay { result.pushedOut = try await quarantine(result, at: now) }
        return result
    }

    // MARK: Committing

    /// One outcome a batch. A store that refuses a group is asked for each half, down to the batch that it will not take.
    private func commit(_ incoming: ArraySlice<IncomingBatch>, _ refused: inout Int) async throws -> [Outcome] {
        guard !incoming.isEmpty else { return [] }
        do {
            let outcomes = try await store.commit(Array(incoming))
            precondition(outcomes.count == incoming.count, "a store gives one outcome a batch")
            return outcomes.map(Self.outcome)
        } catch let error as StoreError where error.reason == .refused {
            guard incoming.count > 1 else { return [try await outcome(of: error, &refused)] }
            let middle = incoming.startIndex + incoming.count / 2
            let first = try await commit(incoming[..<middle], &refused)
            return first + (try await commit(incoming[middle...], &refused))
        }
    }

    /// A batch that the store will not take goes into quarantine, however many there are of them, as long as the store takes a probe. One that does
    /// not is ill, and refuses nothing for good.
    private func outcome(of error: StoreError, _ refused: inout Int) async throws -> Outcome {
        if refused % Self.probeInterval == 0 { try await store.probe() }
        refused += 1
        return .refused(Refusal(.storeRefused, error.detail))
    }

    private static func outcome(_ outcome: CommitOutcome) -> Outcome {
        switch outcome {
        case .committed: .committed
        case .duplicate: .duplicate
        case .forgotten: .refused(Refusal(.forgotten, "the sequence is below what the collector keeps account of"))
        case .overlap: .refused(Refusal(.overlap, "some of the sequences that it stands for are taken"))
        }
    }

    private func settle(_ incoming: [IncomingBatch], _ outcomes: [Outcome], at now: Int64, into result: inout Result) {
        var newest: [DeviceId: IncomingBatch] = [:]
        for (incoming, outcome) in zip(incoming, outcomes) {
            let device = incoming.batch.device
            var samples = 0
            if case .committed = outcome, let block = incoming.block, let end = incoming.ticks?.end {
                samples = block.sampleCount
                if end >= newest[device]?.ticks?.end ?? .min { newest[device] = incoming }
            }
            result.settled.append(Settled(batch: incoming.batch, outcome: outcome, samples: samples))
            var isStored = true
            if case .refused = outcome { isStored = result.activity[device]?.isStored ?? false }
            result.activity[device] = DeviceActivity(at: now, newest: nil, isStored: isStored)
        }
        for refused in result.refused where result.activity[refused.device] == nil {
            result.activity[refused.device] = DeviceActivity(at: now, newest: nil, isStored: false)
        }
        // Once a device, not once a batch: it goes through a whole block.
        for (device, incoming) in newest { result.activity[device] = DeviceActivity(at: now, newest: incoming.block?.newestTick) }
    }

    // MARK: Quarantine

    /// How many older items had to go.
    private func quarantine(_ result: Result, at now: Int64) async throws -> Int {
        var items = result.refused.map { $0.quarantined(at: now) }
        for settled in result.settled {
            guard case .refused(let refusal) = settled.outcome else { continue }
            let batch = settled.batch
            items.append(
                IngestGroup.Refused(device: batch.device, batch: batch, refusal: refusal, bytes: batch.encoded()).quarantined(at: now))
        }
        return items.isEmpty ? 0 : try await store.quarantine(items)
    }
}
