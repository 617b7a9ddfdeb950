import LinuxDriver
import Telemetry

extension CertificateRecord {
    /// The record as a JSON object, judged at `now` (milliseconds since 1970), with what else is to stand in it.
    package func json(
        at now: Int64, clockIsTrustworthy: Bool, withAdvice: Bool = false, _ more: (inout JSONWriter) -> Void = { _ in }
    ) -> String {
        var writer = JSONWriter()
        writer.object { object in
            write(into: &object, at: now, clockIsTrustworthy: clockIsTrustworthy, withAdvice: withAdvice)
            more(&object)
        }
        return writer.text
    }

    private func write(into object: inout JSONWriter, at now: Int64, clockIsTrustworthy: Bool, withAdvice: Bool) {
        object.string("id", id)
        object.string("path", path)
        object.string("subject", subject)
        object.string("issuer", issuer)
        object.array("names") { array in
            for name in names { array.string(nil, name) }
        }
        object.string("serial", serial)
        Self.write(date: notBefore, "not_before", into: &object)
        Self.write(date: notAfter, "not_after", into: &object)
        object.string("key_algorithm", keyAlgorithm)
        object.integer("key_bits", Int64(keyBits))
        object.string("signature_algorithm", signatureAlgorithm)
        object.bool("trusted", trusted)
        if let trustError { object.string("trust_error", trustError) } else { object.null("trust_error") }
        object.bool("is_authority", isAuthority)
        let findings = findings(at: now, clockIsTrustworthy: clockIsTrustworthy)
        let validity = CertificateStatus.judge(self, at: now, clockIsTrustworthy: clockIsTrustworthy).name
        // For people and scripts the status is what all findings make of it, as the table has it.
        object.string("status", withAdvice ? FindingVerdict.word(for: findings) : validity)
        if withAdvice { object.string("validity", validity) }
        // Counted from a clock that is not set, the days would be nonsense.
        if clockIsTrustworthy, let days = daysLeft(at: now) { object.integer("days_left", days) } else { object.null("days_left") }
        object.number("validation_time", validationTime)
        object.string("profile", assessment.profile.name)
        object.string("role", assessment.role.name)
        object.integer("score", Int64(SecurityScore.of(findings)))
        object.array("findings") { array in
            for finding in findings { array.object { finding.write(into: &$0, withAdvice: withAdvice) } }
        }
        object.string("key_id", assessment.keyId)
        object.bool("has_key", assessment.hasKey)
        object.array("chain") { array in
            for id in assessment.chain { array.string(nil, id) }
        }
    }

    private static func write(date: Int64?, _ key: String, into object: inout JSONWriter) {
        if let date { object.string(key, Timestamp.text(date)) } else { object.null(key) }
    }
}
