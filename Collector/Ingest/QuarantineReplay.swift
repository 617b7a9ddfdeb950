import Telemetry
import TimeSeriesStores

/// What became of an item that was replayed.
package enum ReplayOutcome: Equatable, Sendable {
    /// It is in the stores now, and out of quarantine.
    case committed(samples: Int)
    /// It was in the stores already, and is out of quarantine.
    case duplicate
    /// It stays, with this for a reason.
    case refused(Refusal)
}

/// Plays what was refused again, after a collector, a clock or a store was set right.
package struct QuarantineReplay: Sendable {
    private let store: any TimeSeriesStore
    private let pipeline: IngestPipeline

    package init(store: any TimeSeriesStore, pipeline: IngestPipeline) {
        self.store = store
        self.pipeline = pipeline
    }

    /// Nil when there is no such item. Whatever is interrupted may be done again: the store's account says what is taken.
    package func replay(id: Int64) async throws -> ReplayOutcome? {
        guard let item = try await store.quarantined(id: id) else { return nil }
        return try await replay(item)
    }

    /// What became of how many.
    package struct Summary: Equatable, Sendable {
        package var committed = 0
        package var duplicates = 0
        package var refused = 0

        package init() {}
    }

    /// Every item of a device, of a reason, or of both; oldest last. The quarantine's own bounds bound the work.
    package func replayAll(device: DeviceId? = nil, reason: String? = nil) async throws -> Summary {
        var summary = Summary()
        var before: Int64?
        while true {
            let items = try await store.quarantined(QuarantineQuery(device: device, reason: reason, before: before))
            for item in items {
                switch try await replay(item) {
                case .committed: summary.committed += 1
                case .duplicate: summary.duplicates += 1
                case .refused: summary.refused += 1
                }
                try Task.checkCancellation()
            }
            guard let last = items.last else { return summary }
            before = last.id
        }
    }

    private func replay(_ item: QuarantinedItem) async throws -> ReplayOutcome {
        // Judging the beginning of a message would say what is wrong with the beginning.
        guard !item.isCut else {
            return .refused(Refusal(.undecodable("too_large"), "it was larger than a batch may be, and only its beginning is kept"))
        }
        let outcome = try await pipeline.replay(item)
        switch outcome {
        case .committed, .duplicate: _ = try await store.removeQuarantined(id: item.id)
        case .refused(let refusal): try await store.setQuarantineReason(of: item.id, refusal.description)
        }
        return outcome
    }
}
