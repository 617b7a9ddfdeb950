import CacheStores
import CollectorIngest
import DocumentStores
import ServiceSupport
import Telemetry
import TimeSeriesStores

/// The registry of devices: who there is, who is connected, what each last measured. Ingestion tells it what comes. When a device was last seen is
/// written to its document every few seconds and answered from there, so that all collectors on the same stores say the same.
package actor DeviceService {
    /// How often `writeSeen` is to be called, milliseconds.
    package static let seenInterval: Int64 = 5_000
    /// Documents of one transaction.
    static let writtenMax = 1_000
    /// How far ahead of the collector's clock a shown value may be before any other takes its place, milliseconds.
    static let aheadMax: Int64 = 60_000
    /// Devices whose state is remembered; beyond it they are read again.
    static let rememberedMax = 100_000

    /// What is known of a device without asking a store.
    struct Remembered {
        var device: Device
        /// There is a document.
        var isDocumented = false
        /// The document says when it was last seen, if not the newest.
        var isSeenWritten = false
        /// Of the newest tick; nil when there is none.
        var latest: LatestValues?
        /// Another collector may have written newer values than `latest`.
        var isLatestStale = false
    }

    let store: any TimeSeriesStore
    let documents: any DocumentStore
    private let cache: any Cache
    /// Since when there is no broker that could tell; nil while there is one.
    private let brokerLostAt: @Sendable () -> Int64?
    var remembered: [DeviceId: Remembered] = [:]
    /// When devices were seen, where the document does not say so yet.
    var unwritten: [DeviceId: Int64] = [:]
    /// What the broker says of each device, over the connection that is there now.
    var words: [DeviceId: DeviceStatus] = [:]
    /// What goes on between reading a store and writing the cache, each with the devices of which others have written meanwhile: what was read of those
    /// is not kept.
    var underway: [UInt64: Set<DeviceId>] = [:]
    private var underwayNext: UInt64 = 0
    /// What was last found in the cache, and what it says.
    private var lastRead: [DeviceId: (bytes: [UInt8], latest: LatestValues?)] = [:]

    package init(
        store: any TimeSeriesStore, documents: any DocumentStore, cache: any Cache, brokerLostAt: @escaping @Sendable () -> Int64? = { nil }
    ) {
        self.store = store
        self.documents = documents
        self.cache = cache
        self.brokerLostAt = brokerLostAt
    }

    // MARK: Reading

    /// All devices, or those of the ids, sorted by id; at most `DocumentLimits.foundMax`.
    package func rows(of ids: [DeviceId]? = nil) async throws -> [DeviceRow] {
        let reading = begin()
        defer { underway[reading] = nil }
        let found =
            if let ids { try await documents.get(ids.map { $0.text }, in: .devices) } else { try await documents.find(DocumentQuery(), in: .devices) }
        let devices = found.compactMap(Device.init).sorted { $0.id < $1.id }
        let cached = await cache.get(devices.map { CacheKey.deviceStatus($0.id.text) })
        var rows: [DeviceRow] = []
        rows.reserveCapacity(devices.count)
        var missing: [(device: Device, latest: LatestValues?)] = []
        for device in devices {
            var latest: LatestValues?
            if let bytes = cached[.deviceStatus(device.id.text)], let read = read(bytes, of: device.id) {
                latest = read
            } else {
                latest = if let known = known(device.id) { known } else { try await store.latest(of: device.id).map { LatestValues($0) } }
                missing.append((device, latest))
            }
            rows.append(DeviceRow(device: told(device), latest: latest))
        }
        // What was committed since the store was asked must not be followed by what is older.
        await write(missing.map { ($0.device.id, cachedStatus($0.device, known($0.device.id) ?? $0.latest)) }, reading)
        return rows
    }

    /// The values that bytes of the cache say, or that there are none; nil for bytes that say nothing. Most are those of the last time.
    private func read(_ bytes: [UInt8], of id: DeviceId) -> LatestValues?? {
        if let last = lastRead[id], last.bytes == bytes { return .some(last.latest) }
        guard let value = try? JSONParser.parse(bytes[...])["latest"] else { return nil }
        let latest = LatestValues(cached: value)
        if lastRead.count >= Self.rememberedMax { lastRead.removeAll() }
        lastRead[id] = (bytes, latest)
        return .some(latest)
    }

    /// The values that are remembered and not outdated, or that there are none; nil when nothing is remembered.
    private func known(_ id: DeviceId) -> LatestValues?? {
        guard let known = remembered[id], !known.isLatestStale else { return nil }
        return .some(known.latest)
    }

    /// Everything about a device; nil when there is none.
    package func detail(of id: DeviceId) async throws -> DeviceDetail? {
        guard let row = try await rows(of: [id]).first else { return nil }
        let count = try await store.sampleCount(of: id)
        let names = SeriesNames(store: store, cache: cache)
        return DeviceDetail(row: row, series: try await names.names(of: id, samples: count), samplesStored: count)
    }

    /// What a device's newest groups showed, the newest first, at most `RecentValues.countMax`; nil when there is no such device.
    package func recent(of id: DeviceId) async throws -> [LatestValues]? {
        guard let row = try await rows(of: [id]).first else { return nil }
        guard let latest = row.latest else { return [] }
        return try await RecentValues(store: store, cache: cache).values(of: id, upTo: latest)
    }

    /// The ids of devices in order, those after one, at most `limit`.
    package func ids(after: DeviceId?, limit: Int) async throws -> [DeviceId] {
        let ids = try await documents.find(DocumentQuery(), in: .devices).compactMap { DeviceId($0.id) }.sorted()
        return Array(ids.drop { id in after.map { id <= $0 } ?? false }.prefix(limit))
    }

    /// Whether either store knows it: what is stored of a device can be read while documents cannot.
    package func exists(_ id: DeviceId) async throws -> Bool {
        do {
            if try await documents.get(id.text, in: .devices) != nil { return true }
        } catch {
            guard try await isStored(id) else { throw error }
            return true
        }
        return try await isStored(id)
    }

    private func isStored(_ id: DeviceId) async throws -> Bool { try await store.sampleCount(of: id) > 0 }

    /// The document's device with the broker's word on it. Without a broker there is none.
    private func told(_ device: Device) -> Device {
        var device = device
        device.unknownSince = brokerLostAt()
        device.status = device.unknownSince == nil ? words[device.id] ?? .unknown : .unknown
        return device
    }

    /// When its last batch was committed; nil before the first.
    package func lastSeen(of id: DeviceId) async throws -> Int64? {
        try await documents.get(id.text, in: .devices).flatMap(Device.init)?.lastSeen
    }

    /// Whether the broker says that the device is connected.
    package func isOnline(_ id: DeviceId) -> Bool { brokerLostAt() == nil && words[id] == .online }

    // MARK: Changing

    /// The device as it is remembered, or as its document has it, or new.
    func recall(_ id: DeviceId, at now: Int64) async throws -> Remembered {
        if let known = remembered[id], !known.isLatestStale { return known }
        let reading = begin()
        defer { underway[reading] = nil }
        if remembered.count >= Self.rememberedMax { remembered.removeAll() }
        let latest = try await store.latest(of: id).map { LatestValues($0) }
        if var known = remembered[id] {
            known.latest = latest
            known.isLatestStale = isOutdated(id, reading)
            remembered[id] = known
            return known
        }
        let document = try await documents.get(id.text, in: .devices)
        let isLatestStale = isOutdated(id, reading)
        guard let device = document.flatMap(Device.init) else {
            return Remembered(device: Device(id: id, firstSeen: now), latest: latest, isLatestStale: isLatestStale)
        }
        return Remembered(
            device: device, isDocumented: true, isSeenWritten: device.lastSeen != nil, latest: latest, isLatestStale: isLatestStale)
    }

    func cachedStatus(_ device: Device, _ latest: LatestValues?) -> [UInt8] {
        // An empty object says that there are no values, so that the store isn't asked each time.
        var members: [String: JSONValue] = ["status": .string(device.status.rawValue), "latest": latest?.cached ?? [:]]
        if let lastSeen = device.lastSeen { members["last_seen"] = .integer(lastSeen) }
        return Array(JSONValue.object(members).json.utf8)
    }

    /// Changes documents in one transaction, and what is remembered of them.
    func persist(_ changes: [DeviceId: DeviceChange], at now: Int64) async throws {
        try await documents.change(changes.keys.map { $0.text }, in: .devices) { found in
            var known = Dictionary(found.compactMap(Device.init).map { ($0.id, $0) }) { first, _ in first }
            return changes.compactMap { id, change in
                let isNew = known[id] == nil
                let isChanged = known[id, default: Device(id: id, firstSeen: now)].apply(change)
                return isChanged || isNew ? known[id].map { .upsert($0.document, in: .devices) } : nil
            }
        }
        for (id, change) in changes {
            _ = remembered[id]?.device.apply(change)
            remembered[id]?.isDocumented = true
            if case .seen(let at) = change {
                remembered[id]?.isSeenWritten = true
                if let later = unwritten[id], later <= at { unwritten[id] = nil }
            }
        }
    }

    /// The same; what the store refuses of them is left, and holds nothing else up. Who is written.
    func persistAccepted(_ changes: [DeviceId: DeviceChange], at now: Int64) async throws -> Set<DeviceId> {
        guard changes.count <= Self.writtenMax else { return try await persistHalves(of: changes, at: now) }
        do {
            try await persist(changes, at: now)
            return Set(changes.keys)
        } catch let error as StoreError where error.reason == .refused {
            guard changes.count > 1 else {
                // Seen again, it is tried again.
                for id in changes.keys { unwritten[id] = nil }
                return []
            }
            return try await persistHalves(of: changes, at: now)
        }
    }

    private func persistHalves(of changes: [DeviceId: DeviceChange], at now: Int64) async throws -> Set<DeviceId> {
        let all = Array(changes)
        var written: Set<DeviceId> = []
        for half in [all[..<(all.count / 2)], all[(all.count / 2)...]] {
            written.formUnion(try await persistAccepted(Dictionary(half.map { ($0.key, $0.value) }) { first, _ in first }, at: now))
        }
        return written
    }

    /// Writes what was seen since it was last written; whose documents changed. What cannot be written now is written the next time.
    package func writeSeen() async -> Set<DeviceId> {
        var written: Set<DeviceId> = []
        var rest = unwritten.map { (id: $0.key, at: $0.value) }[...]
        while let first = rest.first {
            let some = rest.prefix(Self.writtenMax)
            rest = rest.dropFirst(some.count)
            let changes = Dictionary(some.map { ($0.id, DeviceChange.seen(at: $0.at)) }) { first, _ in first }
            guard let accepted = try? await persistAccepted(changes, at: first.at) else { break }
            written.formUnion(accepted)
        }
        return written
    }

    /// False when there is no such device.
    package func setLabels(_ labels: [String: String], of id: DeviceId, at now: Int64) async throws -> Bool {
        guard try await exists(id) else { return false }
        try await persist([id: .labels(labels)], at: now)
        return true
    }

    // MARK: Other collectors

    /// Others have written of these devices: what they last measured is read again when it is asked for.
    package func changedByOthers(_ devices: Set<DeviceId>) async {
        for device in devices { remembered[device]?.isLatestStale = true }
        for reading in underway.keys { underway[reading]?.formUnion(devices) }
        await cache.remove(devices.map { .deviceStatus($0.text) })
    }

    /// Others have written or deleted these devices' documents, or anybody's: what is remembered of them is read again with their next batch.
    package func documentsChangedByOthers(_ devices: Set<DeviceId>?) {
        guard let devices else { return remembered.removeAll() }
        for device in devices { remembered[device] = nil }
    }

    /// The number of a reading; it goes from `underway` when it has ended.
    func begin() -> UInt64 {
        underwayNext += 1
        underway[underwayNext] = []
        return underwayNext
    }

    private func isOutdated(_ id: DeviceId, _ reading: UInt64) -> Bool { underway[reading]?.contains(id) ?? true }

    /// Puts into the cache what is not outdated, and takes out what became so while it was written: the removal may have been done before.
    func write(_ statuses: [(id: DeviceId, status: [UInt8])], and others: [CacheWrite] = [], _ reading: UInt64) async {
        let kept = statuses.filter { !isOutdated($0.id, reading) }
        await cache.write(kept.map { .set(.deviceStatus($0.id.text), $0.status) } + others)
        let outdated = kept.filter { isOutdated($0.id, reading) }
        if !outdated.isEmpty { await cache.remove(outdated.map { .deviceStatus($0.id.text) }) }
    }
}
