import DocumentStores

/// Who has the same key, of whatever kind the places are.
extension CertificateService {
    /// Takes away keys that a whole scan has not found again. Which they are.
    func finishKeys(_ scan: Int64, on device: String) async throws -> Set<String> {
        let older: [DocumentCondition] = [.equals("device", .string(device)), .less("scan", .integer(scan))]
        let gone = try await documents.find(DocumentQuery(older), in: .keyPlaces)
        guard !gone.isEmpty else { return [] }
        try await documents.apply([.deleteAll(older, in: .keyPlaces)])
        return Set(gone.compactMap { $0["keyId"]?.text })
    }

    /// Tells the places of each key, on whichever devices, what the fleet makes of it. Whoever writes last sees what others wrote.
    func correctKeys(_ keys: Set<String>) async throws {
        for key in keys.sorted() {
            let ofKey: [DocumentCondition] = [.equals("keyId", .string(key))]
            let query = DocumentQuery(ofKey, order: .ascending("notAfter"), limit: KeyReuse.placesMax)
            let certificates = try await documents.find(query, in: .certificatePlaces)
            let bare = try await documents.find(DocumentQuery(ofKey, limit: KeyReuse.placesMax), in: .keyPlaces)
            let reuse = KeyReuse.of(certificates + bare)
            let corrected = KeyReuse.corrected(certificates, reuse)
            try await documents.apply(
                corrected.map { .upsertUnlessOlder($0, by: "scan", in: .certificatePlaces) }
                    + KeyReuse.corrected(bare, reuse).map { .upsertUnlessOlder($0, by: "scan", in: .keyPlaces) })
            // Other devices' summaries say so at once too.
            for device in Set(corrected.compactMap { $0["device"]?.text }) { try await updateSummary(of: device) }
        }
    }

    /// Keys of which the fleet has more than it should; the worst first.
    package func reusedKeys() async throws -> [SharedKey] {
        var keys: [SharedKey] = []
        for reuse in [KeyReuse.critical, .problem] {
            let query = DocumentQuery([.equals("keyReuse", .string(reuse.rawValue))], order: .ascending("keyId"))
            let places = try await documents.find(query, in: .certificatePlaces) + documents.find(query, in: .keyPlaces)
            keys += Dictionary(grouping: places) { $0["keyId"]?.text ?? "" }.map { SharedKey(id: $0, reuse: reuse, places: $1) }
                .sorted { $0.id < $1.id }
        }
        return keys
    }
}
