import CollectorIngest
import DocumentStores
import LinuxDriver
import Telemetry

/// What the agents found, across the fleet: certificates by their hash, and the places where they lie. A scan comes in parts, in any order and
/// more than once; when all are there, what older scans had found and this one has not is gone.
package actor CertificateService {
    /// Milliseconds after which the fleet's summary is read again; this collector's own reports update it at once.
    private static let summaryAge: Int64 = 60_000

    private let documents: any DocumentStore
    private let clock: Clock
    /// The places of each device, without facts; nil until the first question.
    private var summary: [String: [CertificateAtPlace]]?
    private var summaryReadAt: Int64 = 0
    /// Devices of which others have written since: their places are read again when they are asked for.
    private var outdated: Set<String> = []
    /// Of more than these all is read again.
    private static let outdatedMax = 100

    package init(documents: any DocumentStore, clock: Clock = .system) {
        self.documents = documents
        self.clock = clock
    }

    // MARK: Reading

    /// Certificates at their places, soonest expiry first; of one device or all; at most `limit`.
    package func certificates(
        of device: DeviceId? = nil, status: CertificateStatus? = nil, at now: Int64, limit: Int = DocumentLimits.foundMax
    ) async throws -> [CertificateAtPlace] {
        try await certificates(of: device, CertificateFilter(status: status), at: now, limit: limit)
    }

    /// The same, by more than a status.
    package func certificates(
        of device: DeviceId? = nil, _ filter: CertificateFilter, at now: Int64, limit: Int = DocumentLimits.foundMax
    ) async throws -> [CertificateAtPlace] {
        let conditions = device.map { [DocumentCondition.equals("device", .string($0.text))] } ?? []
        let found = try await documents.find(DocumentQuery(conditions, order: .ascending("notAfter")), in: .certificatePlaces)
        // The issuer is a fact of the certificate, known below; all else is known here.
        var early = filter
        early.issuer = nil
        let places = found.compactMap(CertificateAtPlace.init).filter { early.takes($0, at: now) }.prefix(filter.issuer == nil ? limit : .max)
        let facts = try await documents.get(Array(Set(places.map { $0.id })), in: .certificates)
        let factsOf = Dictionary(facts.map { ($0.id, $0) }) { first, _ in first }
        let all = places.map { place in factsOf[place.id].map { place.with(facts: $0) } ?? place }
        return filter.issuer == nil ? all : Array(all.filter { filter.takes($0, at: now) }.prefix(limit))
    }

    /// All places, for questions over the whole fleet.
    package func inventory(at now: Int64) async throws -> CertificateInventory {
        CertificateInventory(try await certificates(CertificateFilter(), at: now))
    }

    /// What the device's newest scan could not read, as objects with a path and a reason; at most a hundred.
    package func problems(of device: DeviceId) async throws -> [JSONValue] {
        try await documents.get(device.text, in: .certificateScans).map { ScanProgress($0).problems } ?? []
    }

    /// For each device that has certificates the one that is worst now: by status, then by the soonest end.
    package func worst(of devices: some Swift.Sequence<DeviceId> & Sendable, at now: Int64) async throws -> [DeviceId: CertificateAtPlace] {
        let summary = try await currentSummary()
        var worst: [DeviceId: CertificateAtPlace] = [:]
        for device in devices {
            worst[device] = summary[device.text]?.min { a, b in
                (a.status(at: now), a.notAfter ?? .min, a.path) < (b.status(at: now), b.notAfter ?? .min, b.path)
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

    private func updateSummary(of device: String) async throws {
        guard summary != nil else { return }
        let places = try await documents.find(DocumentQuery([.equals("device", .string(device))]), in: .certificatePlaces)
        summary?[device] = places.compactMap(CertificateAtPlace.init)
    }
}

extension CertificateService: DocumentReceiver {
    package nonisolated var documentTypes: Set<String> { ["certificate_report"] }

    package func receive(_ document: ReceivedDocument) async throws {
        let report = try CertificateReport(document.body)
        let device = document.device.text
        // The parts of one scan may come to several collectors at once.
        try await documents.change([device], in: .certificateScans) { found in
            guard let progress = ScanProgress.after(found.first.map(ScanProgress.init), report) else { return [] }
            return Self.changes(report, progress, on: device)
        }
        try await updateSummary(of: device)
    }

    private static func changes(_ report: CertificateReport, _ progress: ScanProgress, on device: String) -> [DocumentChange] {
        var changes: [DocumentChange] = []
        for certificate in report.certificates {
            changes.append(.upsert(certificate.facts(), in: .certificates))
            let place = certificate.place(on: device, scan: report.scan, seenAt: report.scan)
            changes.append(.upsertUnlessOlder(place, by: "scan", in: .certificatePlaces))
        }
        changes.append(.upsert(progress.document(of: device), in: .certificateScans))
        if progress.isComplete {
            let older: [DocumentCondition] = [.equals("device", .string(device)), .less("scan", .integer(report.scan))]
            changes.append(.deleteAll(older, in: .certificatePlaces))
        }
        return changes
    }
}
