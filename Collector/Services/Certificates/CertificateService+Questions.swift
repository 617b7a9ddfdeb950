import CacheStores
import DocumentStores
import Telemetry
import TimeSeriesStores

extension CertificateService {
    /// Places read from the store at once, and looked through for one page.
    private static let pageDocuments = 1_000
    private static let lookedThroughMax = 50_000
    /// Of one certificate's page.
    package static let placesMax = 1_000
    package static let historyShown = 200
    package static let validationsShown = 50

    // MARK: Lists

    package func page(_ question: CertificateQuestion, at now: Int64) async throws -> CertificatePage {
        let selections = question.selections(at: now)
        var taken: [CertificateAtPlace] = []
        var (after, lookedThrough) = (question.after, 0)
        while true {
            let limit = min(Self.pageDocuments, question.limit + 1)
            let found = try await merged(selections, limit: limit, after: after)
            for document in found where document.id != after?.id {
                guard taken.count < question.limit else { return CertificatePage(certificates: try await withFacts(taken), next: after) }
                after = DocumentCursor(document, CertificateQuestion.order)
                if let place = CertificateAtPlace(place: document), question.takes(place, at: now) { taken.append(place) }
            }
            lookedThrough += found.count
            let isLast = found.count < limit
            if isLast || lookedThrough >= Self.lookedThroughMax {
                return CertificatePage(certificates: try await withFacts(taken), next: isLast ? nil : after)
            }
        }
    }

    /// The first places of all selections together, in the question's order, which is every store's: without an end first, ids by their bytes.
    private func merged(_ selections: [[DocumentCondition]], limit: Int, after: DocumentCursor?) async throws -> [Document] {
        var found: [Document] = []
        for conditions in selections {
            let query = DocumentQuery(conditions, order: CertificateQuestion.order, limit: limit, after: after)
            found += try await documents.find(query, in: .certificatePlaces)
        }
        guard selections.count > 1 else { return found }
        found.sort { a, b in
            let (first, second) = (a["notAfter"]?.integer ?? .min, b["notAfter"]?.integer ?? .min)
            return first == second ? a.id.utf8.lexicographicallyPrecedes(b.id.utf8) : first < second
        }
        // One that two selections have comes twice, side by side.
        return Array(found.prefix(limit))
    }

    /// All of a device, soonest expiry first.
    package func certificates(of device: DeviceId, at now: Int64) async throws -> [CertificateAtPlace] {
        var question = CertificateQuestion()
        question.device = device
        return try await page(question, at: now).certificates
    }

    func withFacts(_ places: [CertificateAtPlace]) async throws -> [CertificateAtPlace] {
        let facts = try await facts(of: Set(places.map { $0.id }))
        return places.map { place in facts[place.id].map { place.with(facts: $0) } ?? place }
    }

    /// What certificates are, by their ids: from the cache, or the store. A certificate never changes, so that neither is ever outdated.
    func facts(of ids: Set<String>) async throws -> [String: Document] {
        let cached = await cache.get(ids.map { CacheKey(.certificate, $0) })
        var facts: [String: Document] = [:]
        for id in ids {
            guard let bytes = cached[CacheKey(.certificate, id)], let body = try? JSONParser.parse(bytes[...]) else { continue }
            facts[id] = Document(id, body)
        }
        let missing = ids.filter { facts[$0] == nil }
        guard !missing.isEmpty else { return facts }
        let read = try await documents.get(Array(missing), in: .certificates)
        await cache.write(read.map { .set(CacheKey(.certificate, $0.id), Array($0.body.json.utf8)) })
        for document in read { facts[document.id] = document }
        return facts
    }

    // MARK: One certificate

    /// Everything about a certificate; nil when no device has ever reported it.
    package func detail(of id: String) async throws -> CertificateDetail? {
        guard let facts = try await documents.get(id, in: .certificates) else { return nil }
        let here: [DocumentCondition] = [.equals("certificate", .string(id))]
        let places = try await documents.find(DocumentQuery(here, limit: Self.placesMax), in: .certificatePlaces)
            .compactMap(CertificateAtPlace.init).map { $0.with(facts: facts) }
        let chain = places.max { $0.seenAt < $1.seenAt }?.chain ?? []
        let issuers = try await self.facts(of: Set(chain))
        return CertificateDetail(
            facts: facts, chain: chain.map { issuers[$0] ?? Document($0, [:]) }, places: places,
            placesCount: places.count < Self.placesMax ? places.count : try await documents.count(here, in: .certificatePlaces),
            history: try await history("certificate", id), replaced: try await history("replacedBy", id),
            validation: await cachedValidation(of: id), validations: try await store.validations(of: id, limit: Self.validationsShown))
    }

    /// Newest first.
    private func history(_ field: String, _ id: String) async throws -> [Document] {
        try await documents.find(
            DocumentQuery([.equals(field, .string(id))], order: .descending("to"), limit: Self.historyShown), in: .certificateHistory)
    }

    private func cachedValidation(of id: String) async -> JSONValue? {
        await cache.get(CacheKey(.certificateValidation, id)).flatMap { try? JSONParser.parse($0[...]) }
    }
}
