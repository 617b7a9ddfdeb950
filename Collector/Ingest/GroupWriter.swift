import DocumentStores
import ServiceSupport
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
        /// Older items of the quarantine that had to go.
        var pushedOut = 0
        /// Documents and events whose store was down; nobody is told of them.
        var untaken = 0
    }

    private let store: any TimeSeriesStore
    private let receivers: IngestPipeline.Receivers
    private let documents: DocumentDelivery
    private let isDocumentStoreApart: Bool
    /// Words of the broker that could not be written while the documents' store was down.
    private let unwrittenPresence = Mutex<[DeviceId: Bool]>([:])
    /// Devices of them; beyond it they are forgotten, until each says something new.
    private static let unwrittenMax = 100_000

    /// How often a group that is too much for the store is tried whole, before it is looked for the batch that makes it so.
    static let wholeTriesMax = 3
    /// How often such a batch is tried by itself, while the store takes a probe in between.
    private static let aloneTriesMax = 2

    /// Batches of a group that the store refused, between two probes; the first is probed for.
    static let probeInterval = 16

    /// - Parameter isDocumentStoreApart: see `IngestPipeline.Limits`.
    init(
        store: any TimeSeriesStore, documents: any DocumentStore, receivers: IngestPipeline.Receivers, isDocumentStoreApart: Bool = false
    ) {
        self.store = store
        self.isDocumentStoreApart = isDocumentStoreApart
        self.receivers = receivers
        self.documents = DocumentDelivery(documents, receivers: receivers.documents)
    }

    /// - Parameter now: UTC, milliseconds since 1970.
    /// - Parameter isReplay: what is refused is in quarantine already.
    /// - Parameter isNarrowing: the group was too much for the store as often as it is tried whole.
    func write(_ group: IngestGroup, at now: Int64, isReplay: Bool = false, isNarrowing: Bool = false) async throws -> Result {
        var group = group
        let untaken = try await deliver(&group, at: now, isReplay: isReplay)
        if group.isConnectionNew { for receiver in receivers.presence { await receiver.presenceBegan(at: now) } }
        try await tellPresence(group, at: now)
        var result = Result(refused: group.refused, untaken: untaken)
        let incoming = group.incoming
        var search = Search(isNarrowing: isNarrowing)
        settle(incoming, try await commit(incoming[...], &search), at: now, into: &result)
        if !isReplay { result.pushedOut = try await quarantine(result, at: now) }
        return result
    }

    // MARK: Documents

    /// How many documents were left because their store is down.
    private func deliver(_ group: inout IngestGroup, at now: Int64, isReplay: Bool) async throws -> Int {
        let whole = group
        do { try await documents.deliver(&group, at: now) } catch let error as StoreError where mayPass(error) && !isReplay {
            // Some of them may be written: each is the same when it comes again.
            group = whole
            group.documents = []
            return whole.documents.count
        }
        return 0
    }

    private func tellPresence(_ group: IngestGroup, at now: Int64) async throws {
        var words = unwrittenPresence.withLock { words in
            defer { words = [:] }
            // What was said on an earlier connection counts no more.
            return group.isConnectionNew ? [:] : words
        }
        words.merge(group.presence) { $1 }
        guard !words.isEmpty else { return }
        do { try await tell(words, at: now) } catch let error as StoreError where isDocumentStoreApart && error.reason == .refused {
            // One of them: that one stays unwritten, and holds nothing up.
            for (device, isOnline) in words { try await tellPassing([device: isOnline], at: now) }
        } catch let error as StoreError where mayPass(error) { keep(words) }
    }

    private func tellPassing(_ words: [DeviceId: Bool], at now: Int64) async throws {
        do { try await tell(words, at: now) } catch let error as StoreError { if mayPass(error) { keep(words) } }
    }

    private func tell(_ words: [DeviceId: Bool], at now: Int64) async throws {
        for receiver in receivers.presence { try await receiver.presenceChanged(words, at: now) }
    }

    private func keep(_ words: [DeviceId: Bool]) {
        unwrittenPresence.withLock { kept in if kept.count <= Self.unwrittenMax { kept.merge(words) { _, new in new } } }
    }

    /// What the documents' server cannot do holds samples up only where it is not a server of its own.
    private func mayPass(_ error: StoreError) -> Bool { isDocumentStoreApart && error.reason != .refused }

    // MARK: Committing

    /// For the batches of a group that the store will not take.
    private struct Search {
        let isNarrowing: Bool
        var refused = 0

        /// Whether smaller groups are to be tried after it.
        func mayFind(_ error: StoreError) -> Bool {
            switch error.reason {
            case .refused, .tooMuch: true
            case .overloaded: isNarrowing
            default: false
            }
        }
    }

    /// One outcome a batch. A store that refuses a group is asked for each half, down to the batch that it will not take.
    private func commit(_ incoming: ArraySlice<IncomingBatch>, _ search: inout Search, triesAlone: Int = 1) async throws -> [Outcome] {
        guard !incoming.isEmpty else { return [] }
        do {
            let outcomes = try await store.commit(Array(incoming))
            precondition(outcomes.count == incoming.count, "a store gives one outcome a batch")
            return outcomes.map(Self.outcome)
        } catch let error as StoreError where search.mayFind(error) {
            // Others may have taken the time or the memory; a store that takes no probe is ill, and it is not the batches' fault.
            if error.reason == .overloaded { try await store.probe() }
            guard incoming.count > 1 else {
                if error.reason == .overloaded, triesAlone < Self.aloneTriesMax {
                    return try await commit(incoming, &search, triesAlone: triesAlone + 1)
                }
                return [try await outcome(of: error, &search.refused)]
            }
            let middle = incoming.startIndex + incoming.count / 2
            let first = try await commit(incoming[..<middle], &search)
            return first + (try await commit(incoming[middle...], &search))
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
