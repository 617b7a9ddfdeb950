import CacheStores
import CollectorIngest
import DocumentStores
import LinuxDriver
import Telemetry
import TimeSeriesStores

/// What the agents found, across the fleet: certificates by their hash, and the places where they lie. A scan comes in parts, in any order and
/// more than once; when all are there, what older scans had found and this one has not is history.
package actor CertificateService {
    /// Milliseconds after which the fleet's summary is read again; this collector's own reports update it at once.
    private static let summaryAge: Int64 = 60_000

    let documents: any DocumentStore
    let store: any TimeSeriesStore
    let cache: any Cache
    private let clock: Clock
    /// The places of each device, without facts; nil until the first question.
    private var summary: [String: [CertificateAtPlace]]?
    private var summaryReadAt: Int64 = 0
    /// Devices of which others have written since: their places are read again when they are asked for.
    private var outdated: Set<String> = []
    /// Of more than these all is read again.
    private static let outdatedMax = 100

    package init(documents: any DocumentStore, store: any TimeSeriesStore, cache: any Cache, clock: Clock = .system) {
        self.documents = documents
        self.store = store
        self.cache = cache
        self.clock = clock
    }

    // MARK: Reading

    /// What the device's newest scan could not read, as objects with a path and a reason; at most a hundred.
    package func problems(of device: DeviceId) async throws -> [JSONValue] {
        try await documents.get(device.text, in: .certificateScans).map { ScanProgress($0).problems } ?? []
    }

    /// For each device that has certificates the one that is worst now: by status, then validity, then the soonest end.
    package func worst(of devices: some Swift.Sequence<DeviceId> & Sendable, at now: Int64) async throws -> [DeviceId: CertificateAtPlace] {
        let summary = try await currentSummary()
        var worst: [DeviceId: CertificateAtPlace] = [:]
        for device in devices {
            worst[device] = summary[device.text]?.min { a, b in
                (a.status(at: now), a.validity(at: now), a.notAfter ?? .min, a.path)
                    < (b.status(at: now), b.validity(at: now), b.notAfter ?? .min, b.path)
            }
        }
        return worst
    }

    /// The status of each device's worst certificate, by name.
    package func statusNames(of devices: Set<DeviceId>, at now: Int64) async throws -> [DeviceId: String] {
        try await worst(of: devices, at: now).mapValues { $0.status(at: now).rawValue }
    }

    private func currentSummary() async throws -> [String: [CertificateAtPlace]] {
        let now = clock.boot()
        if let summary, now - summaryReadAt < Self.summaryAge, outdated.count <= Self.outdatedMax {
            guard !outdated.isEmpty else { return summary }
            return try await refreshed()
        }
        outdated = []
        let places = try await documents.find(DocumentQuery(), in: .certificatePlaces).compactMap(CertificateAtPlace.init)
        let read = Dictionary(grouping: places) { $0.device }
        summary = read
        summaryReadAt = now
        return read
    }

    private func refreshed() async throws -> [String: [CertificateAtPlace]] {
        while let device = outdated.popFirst() {
            // What cannot be read now is read the next time.
            do { try await updateSummary(of: device) } catch {
                outdated.insert(device)
                throw error
            }
        }
        return summary ?? [:]
    }

    /// Others have written of these devices' certificates, or of anybody's.
    package func changedByOthers(_ devices: Set<String>?) {
        if let devices { outdated.formUnion(devices) } else { summary = nil }
    }

    func updateSummary(of device: String) async throws {
        guard summary != nil else { return }
        let places = try await documents.find(DocumentQuery([.equals("device", .string(device))]), in: .certificatePlaces)
        summary?[device] = places.compactMap(CertificateAtPlace.init)
    }
}
