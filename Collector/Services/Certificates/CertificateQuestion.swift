import DocumentStores
import Telemetry

/// Which certificates at which places are asked for; what is nil does not matter. They come soonest expiry first.
package struct CertificateQuestion: Sendable {
    package static let limitMax = 20_000

    package var device: DeviceId?
    package var status: CertificateStatus?
    package var validity: CertificateValidity?
    /// The code of a finding that they have.
    package var finding: String?
    /// The issuer's name on one line.
    package var issuer: String?
    /// The id of their public key.
    package var key: String?
    /// The id of one certificate.
    package var certificate: String?
    /// They end before this instant (milliseconds since 1970) and have not ended yet.
    package var endsBefore: Int64?
    /// They are served by an endpoint, and lie in no file of its device.
    package var isServedOnly = false
    /// Behind this place.
    package var after: DocumentCursor?
    package var limit: Int = limitMax

    package init() {}

    package static let order = DocumentQuery.Order.ascending("notAfter")

    /// What a store can tell them by, each with an index; the rest is `takes`. A place may be in two of them.
    func selections(at now: Int64) -> [[DocumentCondition]] {
        var range: (from: Int64?, to: Int64?) =
            switch validity {
            case .expired: (nil, now - 999)
            case .expiring: (now - 999, now + CertificateValidity.expiringWithin + 1)
            case .ok: (now + CertificateValidity.expiringWithin + 1, nil)
            case .notYetValid, .untrusted, nil: (nil, nil)
            }
        // Up to its end, and its last second, it has not ended.
        if let endsBefore { range = ([range.from, now - 999].compactMap(\.self).max(), [range.to, endsBefore].compactMap(\.self).min()) }
        guard let status else { return [conditions + Self.ending(range)] }
        // A list is asked for one text.
        if finding != nil { return [conditions + Self.ending(range)] }
        let isMarked = status.mark.map { conditions + [.contains("codes", $0)] + Self.ending(range) }
        // What has come to it by its end alone, or says so by its end.
        let ends: (from: Int64?, to: Int64?)? =
            switch status {
            case .critical: (nil, now - 999)
            case .problem: (now - 999, now + CertificateValidity.expiringWithin + 1)
            case .unknown: nil
            case .ok: (nil, nil)
            }
        let isEnding = ends.map { ends in
            conditions + Self.ending(([range.from, ends.from].compactMap(\.self).max(), [range.to, ends.to].compactMap(\.self).min()))
        }
        return [isMarked, isEnding].compactMap(\.self)
    }

    private var conditions: [DocumentCondition] {
        var conditions: [DocumentCondition] = []
        if let device { conditions.append(.equals("device", .string(device.text))) }
        if let certificate { conditions.append(.equals("certificate", .string(certificate))) }
        if let finding { conditions.append(.contains("codes", finding)) }
        if let key { conditions.append(.equals("keyId", .string(key))) }
        if let issuer { conditions.append(.equals("issuer", .string(issuer))) }
        if isServedOnly { conditions.append(.equals("servedOnly", true)) }
        return conditions
    }

    private static func ending(_ range: (from: Int64?, to: Int64?)) -> [DocumentCondition] {
        [range.from.map { .atLeast("notAfter", .integer($0)) }, range.to.map { .less("notAfter", .integer($0)) }].compactMap(\.self)
    }

    func takes(_ place: CertificateAtPlace, at now: Int64) -> Bool {
        (status.map { place.status(at: now) == $0 } ?? true) && (validity.map { place.validity(at: now) == $0 } ?? true)
    }
}

/// A page of an answer, and where the next one begins; nil where there is none.
package struct CertificatePage: Sendable {
    package let certificates: [CertificateAtPlace]
    package let next: DocumentCursor?
}
