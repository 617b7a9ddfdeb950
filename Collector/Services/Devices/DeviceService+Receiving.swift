import CacheStores
import CollectorIngest
import DocumentStores
import Telemetry

extension DeviceService: DocumentReceiver {
    package nonisolated var documentTypes: Set<String> { ["device_facts"] }

    package func receive(_ document: ReceivedDocument) async throws {
        guard let facts = document.body["facts"]?.object else { throw Refusal(.badDocument, "device_facts has no object named facts") }
        // A fact is a text or a number; anything else isn't shown to anybody.
        let shown = JSONValue.object(facts.filter { $0.value.text != nil || $0.value.number != nil })
        try await persist([document.device: .facts(shown, at: document.sealedAt)], at: document.receivedAt)
    }
}

extension DeviceService: PresenceReceiver {
    package func presenceChanged(_ isOnline: [DeviceId: Bool], at: Int64) async throws {
        if words.count >= Self.rememberedMax { words.removeAll() }
        var news: [DeviceId: DeviceChange] = [:]
        for (device, isOnline) in isOnline {
            let status: DeviceStatus = isOnline ? .online : .offline
            words[device] = status
            // Retained words come again at each subscription; only news is written.
            if remembered[device]?.device.status != status { news[device] = .status(status) }
        }
        if !news.isEmpty { _ = try await persistAccepted(news, at: at) }
    }

    package func presenceBegan(at: Int64) { words.removeAll() }
}

extension DeviceService: CommitReceiver {
    /// What cannot be written now is written with a later batch.
    package func committed(_ activity: [DeviceId: DeviceActivity]) async {
        var stored: [DeviceId] = []
        var shown: [CacheWrite] = []
        var due: [DeviceId: DeviceChange] = [:]
        let reading = begin()
        defer { underway[reading] = nil }
        for (id, activity) in activity {
            guard var state = try? await recall(id, at: activity.at) else {
                if activity.isStored { remember(id, seenAt: activity.at) }
                continue
            }
            guard activity.isStored else {
                // Seen is who delivers; but an operator has to find whose batches are all refused.
                if !state.isDocumented { due[id] = .heard }
                remembered[id] = state
                continue
            }
            _ = state.device.apply(.seen(at: activity.at))
            // A backlog that fills in late is older than what is shown; what a clock that ran ahead has left is not held on to.
            let shownAt = state.latest?.at ?? .min
            if let newest = activity.newest, newest.at >= shownAt || shownAt > activity.at + Self.aheadMax {
                let latest = LatestValues(newest, after: state.latest)
                state.latest = latest
                shown.append(.append(.deviceMetrics(id.text), Array(latest.cached.json.utf8)))
            }
            stored.append(id)
            remembered[id] = state
            // Also what is due: it may fail.
            remember(id, seenAt: activity.at)
            if !state.isSeenWritten { due[id] = .seen(at: activity.at) }
        }
        // As it is remembered now: another group may have been told of meanwhile, and the older must not be the last to be written.
        let statuses = stored.compactMap { id in
            remembered[id].map { (id, cachedStatus($0.device, $0.latest)) }
        }
        await write(statuses, and: shown, reading)
        guard let now = activity.values.first?.at, !due.isEmpty else { return }
        _ = try? await persistAccepted(due, at: now)
    }

    private func remember(_ id: DeviceId, seenAt at: Int64) {
        if unwritten.count >= Self.rememberedMax, unwritten[id] == nil { unwritten.removeAll() }
        unwritten[id] = at
    }
}
