import DocumentStores
import Telemetry
import TimeSeriesStores

extension DeviceService {
    /// Puts devices back that the time-series store knows and the registry does not, e.g. since somebody dropped the collection: as they are remembered,
    /// or with what the samples tell. Who is back.
    package func restoreForgotten(at now: Int64) async throws -> Set<DeviceId> {
        var restored: Set<DeviceId> = []
        var after: DeviceId?
        repeat {
            let ids = try await store.devices(after: after, limit: Self.writtenMax)
            after = ids.count < Self.writtenMax ? nil : ids.last
            let known = Set(try await documents.get(ids.map { $0.text }, in: .devices).map { $0.id })
            var missing: [String: Device] = [:]
            // Whose first document is only just being written is not forgotten.
            for id in ids where !known.contains(id.text) && remembered[id]?.isDocumented != false {
                missing[id.text] = try await forgotten(id, at: now)
            }
            guard !missing.isEmpty else { continue }
            let devices = missing
            try await documents.change(Array(devices.keys), in: .devices) { found in
                let there = Set(found.map { $0.id })
                return devices.filter { !there.contains($0.key) }.map { .upsert($0.value.document, in: .devices) }
            }
            restored.formUnion(devices.values.map { $0.id })
        } while after != nil
        return restored
    }

    private func forgotten(_ id: DeviceId, at now: Int64) async throws -> Device {
        if let known = remembered[id]?.device { return known }
        // Of a range before everything, the record that comes next is the first that there is.
        let first = try await store.coverage(of: id, from: 0, to: 1).records.first?.ticks.start
        var device = Device(id: id, firstSeen: first ?? now)
        device.lastSeen = try await store.latest(of: id)?.at
        return device
    }
}
