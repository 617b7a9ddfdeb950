import CacheStores
import CollectorIngest
import DocumentStores
import Telemetry
import TimeSeriesStores

extension CertificateService: DocumentReceiver {
    /// Places kept that are no more, all devices together; the oldest go.
    package static let historyMax = 100_000
    /// How often at most a certificate's document says anew when it was last seen, milliseconds.
    private static let lastSeenInterval: Int64 = 3_600_000
    /// 2020, before which no clock was set, and how far ahead of the collector's a device's may be; beyond them nothing is measured.
    private static let measuredFrom: Int64 = 1_577_836_800_000
    private static let measuredAhead: Int64 = 86_400_000

    package nonisolated var documentTypes: Set<String> { ["certificate_report"] }

    package func receive(_ document: ReceivedDocument) async throws {
        let report = try CertificateReport(document.body)
        let device = document.device.text
        let read: [DocumentStores.Collection: [String]] = [
            .certificateScans: [device], .certificatePlaces: Array(Set(report.certificates.map { $0.placeId(on: device) })),
            .certificates: Array(Set((report.certificates + report.authorities).map { $0.id })),
            .keyPlaces: Array(Set(report.keys.map { $0.placeId(on: device) })),
        ]
        // The parts of one scan may come to several collectors at once.
        try await documents.change(reading: read) { found in
            guard let progress = ScanProgress.after(found[.certificateScans]?.first.map(ScanProgress.init), report) else { return [] }
            return Self.changes(report, progress, found, on: device)
        }
        let gone = try await finish(report.scan, on: device)
        try await correctKeys(gone.union(report.certificates.compactMap { $0.reusableKey }).union(report.keys.map { $0.id }))
        if report.scan >= Self.measuredFrom, report.scan <= document.receivedAt + Self.measuredAhead {
            try await store.keep(report.certificates.compactMap { $0.validation(on: device, scan: report.scan) })
        }
        await remember(report, on: device)
        try await updateSummary(of: device)
    }

    private static func changes(
        _ report: CertificateReport, _ progress: ScanProgress, _ found: [DocumentStores.Collection: [Document]], on device: String
    ) -> [DocumentChange] {
        let places = byId(found[.certificatePlaces])
        var facts = byId(found[.certificates])
        var changes: [DocumentChange] = []
        for certificate in report.certificates {
            if let changed = Self.facts(of: certificate, known: facts[certificate.id], seenAt: report.scan) {
                facts[certificate.id] = changed
                changes.append(.upsert(changed, in: .certificates))
            }
            let place = certificate.place(on: device, scan: report.scan, earlier: places[certificate.placeId(on: device)])
            changes.append(.upsertUnlessOlder(place, by: "scan", in: .certificatePlaces))
        }
        for authority in report.authorities where facts[authority.id] == nil {
            let known = Document(authority.id, .object(authority.facts()))
            facts[authority.id] = known
            changes.append(.upsert(known, in: .certificates))
        }
        let keys = byId(found[.keyPlaces])
        for key in report.keys {
            let place = key.place(on: device, scan: report.scan, earlier: keys[key.placeId(on: device)])
            changes.append(.upsertUnlessOlder(place, by: "scan", in: .keyPlaces))
        }
        changes.append(.upsert(progress.document(of: device), in: .certificateScans))
        return changes
    }

    private static func byId(_ documents: [Document]?) -> [String: Document] {
        Dictionary((documents ?? []).map { ($0.id, $0) }) { first, _ in first }
    }

    /// The document of a certificate that was seen; nil where it says so already. Many devices have the same authorities.
    private static func facts(of certificate: ReportedCertificate, known: Document?, seenAt: Int64) -> Document? {
        var facts = certificate.facts()
        let (first, last) = (known?["firstSeen"]?.integer, known?["lastSeen"]?.integer)
        if let first, let last, case .object(var old) = known?.body {
            old["firstSeen"] = nil
            old["lastSeen"] = nil
            if old == facts, first <= seenAt, seenAt < last + lastSeenInterval { return nil }
        }
        facts["firstSeen"] = .integer(min(first ?? seenAt, seenAt))
        facts["lastSeen"] = .integer(max(last ?? seenAt, seenAt))
        return Document(certificate.id, .object(facts))
    }

    /// Puts what is gone into history once a scan is whole. Whose keys are concerned.
    private func finish(_ scan: Int64, on device: String) async throws -> Set<String> {
        let progress = try await documents.get(device, in: .certificateScans).map(ScanProgress.init)
        guard let progress, progress.scan == scan, progress.isComplete else { return [] }
        let places = try await documents.find(DocumentQuery([.equals("device", .string(device))]), in: .certificatePlaces)
        let end = ScanEnd(device: device, scan: scan, places: places)
        try await documents.apply(end.changes(historyMax: Self.historyMax))
        return end.keys.union(try await finishKeys(scan, on: device))
    }

    /// Newer validations in the cache stay.
    private func remember(_ report: CertificateReport, on device: String) async {
        let keys = report.certificates.map { CacheKey(.certificateValidation, $0.id) }
        let known = await cache.get(Array(Set(keys)))
        var writes: [CacheWrite] = []
        for (certificate, key) in zip(report.certificates, keys) {
            if let bytes = known[key], let at = try? JSONParser.parse(bytes[...])["at"]?.integer, at > report.scan { continue }
            writes.append(.set(key, Array(certificate.cachedValidation(on: device, scan: report.scan).json.utf8)))
            writes.append(.set(CacheKey(.certificate, certificate.id), Array(JSONValue.object(certificate.facts()).json.utf8)))
        }
        await cache.write(writes)
    }
}
