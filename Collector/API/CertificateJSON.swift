import CertificateService
import DocumentStores
import Telemetry
import TimeSeriesStores

/// Certificates as the API writes them.
extension JSONWriter {
    mutating func texts(_ key: String, _ texts: [String]) { array(key) { array in for text in texts { array.string(nil, text) } } }

    mutating func certificate(_ certificate: CertificateAtPlace, at now: Int64) {
        object { object in
            object.string("id", certificate.id)
            object.string("device", certificate.device)
            object.string("path", certificate.path)
            object.string("source", certificate.source)
            object.string("subject", certificate.subject)
            object.string("issuer", certificate.issuer)
            object.texts("names", certificate.names)
            object.string("serial", certificate.serial)
            object.time("not_before", certificate.notBefore)
            object.time("not_after", certificate.notAfter)
            object.string("key_algorithm", certificate.keyAlgorithm)
            object.integer("key_bits", certificate.keyBits)
            object.string("signature_algorithm", certificate.signatureAlgorithm)
            object.bool("trusted", certificate.isTrusted)
            if let error = certificate.trustError { object.string("trust_error", error) } else { object.null("trust_error") }
            object.bool("is_authority", certificate.isAuthority)
            object.string("status", certificate.status(at: now).rawValue)
            object.string("validity", certificate.validity(at: now).rawValue)
            object.integerOrNull("days_left", certificate.daysLeft(at: now))
            object.integerOrNull("score", certificate.score)
            object.array("findings") { array in for finding in certificate.findings { array.finding(finding) } }
            object.string("profile", certificate.profile)
            object.string("role", certificate.role)
            object.texts("chain", certificate.chain)
            object.string("key_id", certificate.keyId)
            object.bool("has_key", certificate.hasKey)
            object.bool("served_not_on_disk", certificate.isServedOnly)
            object.numberOrNull("response_time", certificate.responseTime)
            for (key, text) in [("protocol", certificate.protocolName), ("cipher", certificate.cipher), ("stapled", certificate.stapled)] {
                if let text { object.string(key, text) } else { object.null(key) }
            }
            object.time("first_seen", certificate.firstSeen)
            object.time("seen_at", certificate.seenAt)
        }
    }

    private mutating func finding(_ finding: ReportedFinding) {
        object { object in
            object.string("code", finding.code)
            object.string("severity", finding.severity)
            if !finding.detail.isEmpty { object.string("detail", finding.detail) }
            guard let advice = FindingAdvice.of(finding.code) else { return }
            object.string("why", advice.why)
            object.string("fix", advice.fix)
        }
    }

    // MARK: One certificate

    mutating func detailMembers(_ detail: CertificateDetail, at now: Int64) {
        factsMembers(detail.facts, at: now)
        time("first_seen", detail.facts["firstSeen"]?.integer)
        time("last_seen", detail.lastSeen)
        array("chain") { array in for issuer in detail.chain { array.object { $0.factsMembers(issuer, at: now) } } }
        integer("places_count", Int64(detail.placesCount))
        array("places") { array in for place in detail.places { array.certificate(place, at: now) } }
        array("history") { array in for one in detail.history { array.object { $0.historyMembers(one) } } }
        array("replaced") { array in for one in detail.replaced { array.object { $0.historyMembers(one) } } }
        if let validation = detail.validation { raw("validation", validation.json) } else { null("validation") }
        array("validations") { array in
            for one in detail.validations {
                array.object { object in
                    object.time("at", one.at)
                    object.number("validation_time", one.validationTime)
                    object.number("response_time", one.responseTime)
                    object.number("security_score", one.securityScore)
                }
            }
        }
    }

    /// What a certificate itself says; of an issuer that nobody has told of its id alone.
    private mutating func factsMembers(_ facts: Document, at now: Int64) {
        string("id", facts.id)
        guard let subject = facts["subject"]?.text else { return }
        string("subject", subject)
        string("issuer", facts["issuer"]?.text ?? "")
        array("names") { array in for name in facts["names"]?.array ?? [] { array.string(nil, name.text ?? "") } }
        string("serial", facts["serial"]?.text ?? "")
        time("not_before", facts["notBefore"]?.integer)
        time("not_after", facts["expiryDate"]?.integer)
        integerOrNull("days_left", CertificateValidity.daysLeft(notAfter: facts["expiryDate"]?.integer, at: now))
        string("key_algorithm", facts["key_algorithm"]?.text ?? "")
        integer("key_bits", facts["key_bits"]?.integer ?? 0)
        string("signature_algorithm", facts["signature_algorithm"]?.text ?? "")
        bool("is_authority", facts["is_authority"]?.bool ?? false)
        string("key_id", facts["keyId"]?.text ?? "")
    }

    private mutating func historyMembers(_ one: Document) {
        string("id", one["certificate"]?.text ?? "")
        string("device", one["device"]?.text ?? "")
        string("path", one["path"]?.text ?? "")
        time("from", one["from"]?.integer)
        time("to", one["to"]?.integer)
        if let successor = one["replacedBy"]?.text { string("replaced_by", successor) } else { null("replaced_by") }
    }

    // MARK: The fleet

    mutating func expiryDay(_ day: ExpiryDay, at now: Int64) {
        time("date", day.day * CertificateCursor.dayMilliseconds)
        labelledMembers(day.ending, at: now)
        object("because_of") { object in for (id, cause) in day.causes.sorted(by: { $0.key < $1.key }) { object.string(id, cause) } }
    }

    mutating func blastRadiusMembers(_ radius: BlastRadius, at now: Int64) {
        string("id", radius.id)
        string("subject", radius.subject)
        time("not_after", radius.notAfter)
        integerOrNull("days_left", CertificateValidity.daysLeft(notAfter: radius.notAfter, at: now))
        labelledMembers(radius.stopping, at: now)
        object("ending_before") { $0.labelledMembers(radius.endingBefore, at: now) }
        bool("cut", radius.isCut)
    }

    private mutating func labelledMembers(_ labelled: LabelledPlaces, at now: Int64) {
        texts("devices", labelled.devices)
        for (name, counts) in [("sites", labelled.sites), ("groups", labelled.groups)] {
            array(name) { array in
                for count in counts {
                    array.object { object in
                        object.string("name", count.name)
                        object.integer("devices", Int64(count.devices))
                        object.integer("certificates", Int64(count.certificates))
                    }
                }
            }
        }
        array("certificates") { array in for place in labelled.places { array.certificate(place, at: now) } }
    }
}
