import DocumentStores

/// Questions over the whole fleet.
extension CertificateService {
    /// Places that one answer goes over, and authorities that end within one calendar.
    private static let goneOverMax = 20_000
    private static let authoritiesMax = 1_000

    /// Nil when no device has reported the certificate, nor one that it issued.
    package func blastRadius(of id: String) async throws -> BlastRadius? {
        let facts = try await documents.get(id, in: .certificates)
        let own = try await places([.equals("certificate", .string(id))])
        let dependents = try await places([.contains("chain", id)])
        guard facts != nil || !dependents.isEmpty else { return nil }
        let all = own + dependents
        return BlastRadius(
            id, facts: facts, places: try await withFacts(all), ends: try await ends(of: all), labels: try await labels(of: all),
            isCut: max(own.count, dependents.count) >= Self.goneOverMax)
    }

    /// - Parameter range: milliseconds since 1970.
    package func calendar(_ range: Range<Int64>) async throws -> ExpiryCalendar {
        func within(_ field: String) -> [DocumentCondition] {
            [.atLeast(field, .integer(range.lowerBound)), .less(field, .integer(range.upperBound))]
        }
        var found = try await places(within("notAfter"))
        var isCut = found.count >= Self.goneOverMax
        let authorities = try await documents.find(
            DocumentQuery(
                within("expiryDate") + [.equals("is_authority", true)], order: .ascending("expiryDate"), limit: Self.authoritiesMax),
            in: .certificates)
        isCut = isCut || authorities.count >= Self.authoritiesMax
        var known = Set(found.map { PlaceName($0) })
        for authority in authorities {
            for place in try await places([.contains("chain", authority.id)]) where known.insert(PlaceName(place)).inserted { found.append(place) }
            guard found.count < Self.goneOverMax else {
                isCut = true
                break
            }
        }
        return ExpiryCalendar(
            try await withFacts(found), range, ends: try await ends(of: found), labels: try await labels(of: found), isCut: isCut)
    }

    private struct PlaceName: Hashable {
        let device, path, certificate: String

        init(_ place: CertificateAtPlace) { (device, path, certificate) = (place.device, place.path, place.id) }
    }

    private func places(_ conditions: [DocumentCondition]) async throws -> [CertificateAtPlace] {
        let query = DocumentQuery(conditions, order: CertificateQuestion.order, limit: Self.goneOverMax)
        return try await documents.find(query, in: .certificatePlaces).compactMap(CertificateAtPlace.init)
    }

    private func ends(of places: [CertificateAtPlace]) async throws -> CertificateEnds {
        CertificateEnds(try await facts(of: Set(places.flatMap { $0.chain })).values)
    }

    private func labels(of places: [CertificateAtPlace]) async throws -> DeviceLabels {
        DeviceLabels(try await documents.get(Array(Set(places.map { $0.device })), in: .devices))
    }
}
