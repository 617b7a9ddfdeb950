import CacheStores
import CollectorIngest
import DocumentStores
import Telemetry
import TimeSeriesStores

/// The registry of devices: who there is, who is connected, what each last measured. Ingestion tells it what comes; the registry's document
/// is written seldom, what changes with every batch stays in memory and the cache.
package actor DeviceService {
    /// A device's `lastSeen` is written at most so often, milliseconds.
    package static let persistInterval: Int64 = 60_000
    /// How far ahead of the collector's clock a shown value may be before any other takes its place, milliseconds.
    private static let aheadMax: Int64 = 60_000
    /// Devices whose state is remembered; beyond it they are read again.
    private static let rememberedMax = 100_000

    /// What is known of a device without asking a store.
    private struct Remembered {
        var device: Device
        /// The `lastSeen` that the document has.
        var persistedLastSeen: Int64?
        /// Of the newest tick; nil when there is none.
        var latest: LatestValues?
    }

    private let store: any TimeSeriesStore
    private let documents: any DocumentStore
    private let cache: any Cache
    private var remembered: [DeviceId: Remembered] = [:]

    package init(store: any TimeSeriesStore, documents: any DocumentStore, cache: any Cache) {
        self.store = store
        self.documents = documents
        self.cache = cache
    }

    // MARK: Reading

    /// All devices, or those of the ids, sorted by id; at most `DocumentLimits.foundMax`.
    package func rows(of ids: [DeviceId]? = nil) async throws -> [DeviceRow] {
        let found =
            if let ids { try await documents.get(ids.map { $0.text }, in: .devices) } else { try await documents.find(DocumentQuery(), in: .devices) }
        let devices = found.compactMap(Device.init).sorted { $0.id < $1.id }
        let cached = await cache.get(devices.flatMap { [CacheKey.deviceStatus($0.id.text), CacheKey.deviceMetrics($0.id.text)] })
        var rows: [DeviceRow] = []
        rows.reserveCapacity(devices.count)
        var missing: [CacheKey: [UInt8]] = [:]
        for device in devices {
            let key = CacheKey.deviceMetrics(device.id.text)
            var latest: LatestValues?
            if let bytes = cached[key], let value = try? JSONParser.parse(bytes[...]) {
                latest = LatestValues(cached: value)
            } else {
                latest = try await store.latest(of: device.id).map { LatestValues($0) }
                // An empty object says that there is nothing, so that the store isn't asked each time.
                missing[key] = Array((latest?.cached ?? [:]).json.utf8)
            }
            rows.append(DeviceRow(device: Self.freshened(device, cached[.deviceStatus(device.id.text)], remembered[device.id]), latest: latest))
        }
        if !missing.isEmpty { await cache.set(missing, timeToLive: CacheKey.deviceTimeToLive) }
        return rows
    }

    /// Everything about a device; nil when there is none.
    package func detail(of id: DeviceId) async throws -> DeviceDetail? {
        guard let row = try await rows(of: [id]).first else { return nil }
        return DeviceDetail(row: row, series: try await store.series(of: id), samplesStored: try await store.sampleCount(of: id))
    }

    package func exists(_ id: DeviceId) async throws -> Bool { try await documents.get(id.text, in: .devices) != nil }

    /// The document's device with the newest `lastSeen` that anybody knows.
    private static func freshened(_ device: Device, _ cached: [UInt8]?, _ remembered: Remembered?) -> Device {
        var device = device
        let fromCache = cached.flatMap { try? JSONParser.parse($0[...]) }?["last_seen"]?.integer
        device.lastSeen = [device.lastSeen, fromCache, remembered?.device.lastSeen].compactMap { $0 }.max()
        return device
    }

    // MARK: Changing

    /// The device as it is remembered, or as its document has it, or new.
    private func recall(_ id: DeviceId, at now: Int64) async throws -> Remembered {
        if let known = remembered[id] { return known }
        if remembered.count >= Self.rememberedMax { remembered.removeAll() }
        let latest = try await store.latest(of: id).map { LatestValues($0) }
        guard let document = try await documents.get(id.text, in: .devices), let device = Device(document) else {
            return Remembered(device: Device(id: id, firstSeen: now), latest: latest)
        }
        return Remembered(device: device, persistedLastSeen: device.lastSeen, latest: latest)
    }

    private func cachedStatus(_ device: Device) -> [UInt8] {
        var members: [String: JSONValue] = ["status": .string(device.status.rawValue)]
        if let lastSeen = device.lastSeen { members["last_seen"] = .integer(lastSeen) }
        return Array(JSONValue.object(members).json.utf8)
    }

    /// Writes the device's document and remembers that it did.
    private func persist(_ state: Remembered) async throws {
        try await documents.upsert(state.device.document, in: .devices)
        var state = state
        state.persistedLastSeen = state.device.lastSeen
        remembered[state.device.id] = state
        await cache.set(.deviceStatus(state.device.id.text), cachedStatus(state.device), timeToLive: CacheKey.deviceTimeToLive)
    }
}

extension DeviceService: DocumentReceiver {
    package nonisolated var documentTypes: Set<String> { ["device_facts"] }

    package func receive(_ document: ReceivedDocument) async throws {
        guard let facts = document.body["facts"]?.object else { throw Refusal(.badDocument, "device_facts has no object named facts") }
        var state = try await recall(document.device, at: document.receivedAt)
        guard document.sealedAt >= state.device.factsAt ?? .min else { return }
        // A fact is a text or a number; anything else isn't shown to anybody.
        state.device.facts = .object(facts.filter { $0.value.text != nil || $0.value.number != nil })
        state.device.factsAt = document.sealedAt
        try await persist(state)
    }
}

extension DeviceService: PresenceReceiver {
    package func presenceChanged(of device: DeviceId, isOnline: Bool, at: Int64) async throws {
        var state = try await recall(device, at: at)
        let status: DeviceStatus = isOnline ? .online : .offline
        // Retained words come again at each subscription; only news is written.
        guard state.device.status != status else { return }
        state.device.status = status
        try await persist(state)
    }
}

extension DeviceService: CommitReceiver {
    /// What cannot be written now is written with a later batch.
    package func committed(_ activity: [DeviceId: DeviceActivity]) async {
        var cached: [CacheKey: [UInt8]] = [:]
        var due: [Remembered] = []
        for (id, activity) in activity {
            guard var state = try? await recall(id, at: activity.at) else { continue }
            state.device.lastSeen = max(state.device.lastSeen ?? .min, activity.at)
            // A backlog that fills in late is older than what is shown; what a clock that ran ahead has left is not held on to.
            let shown = state.latest?.at ?? .min
            if let newest = activity.newest, newest.at >= shown || shown > activity.at + Self.aheadMax {
                let latest = LatestValues(newest, after: state.latest)
                state.latest = latest
                cached[.deviceMetrics(id.text)] = Array(latest.cached.json.utf8)
            }
            cached[.deviceStatus(id.text)] = cachedStatus(state.device)
            remembered[id] = state
            if activity.at - (state.persistedLastSeen ?? .min / 2) >= Self.persistInterval { due.append(state) }
        }
        await cache.set(cached, timeToLive: CacheKey.deviceTimeToLive)
        guard !due.isEmpty, (try? await documents.apply(due.map { .upsert($0.device.document, in: .devices) })) != nil else { return }
        for state in due { remembered[state.device.id]?.persistedLastSeen = state.device.lastSeen }
    }
}
