import DocumentStores

/// A certificate on a device: where it lies, how it is judged there, and its facts.
package struct CertificateAtPlace: Equatable, Sendable {
    package let device: String
    package let path: String
    /// SHA-256 of its DER, hexadecimal.
    package let id: String
    package let subject: String
    /// Both milliseconds since 1970; nil when the certificate's dates cannot be read.
    package let notBefore: Int64?
    package let notAfter: Int64?
    package let isTrusted: Bool
    package let trustError: String?
    /// When the device found it there, by its clock.
    package let seenAt: Int64
    /// When it was first found there.
    package let firstSeen: Int64
    /// `file` or `endpoint`; the path is `HOST:PORT` then.
    package let source: String
    /// It is served, and lies in no file of the device.
    package let isServedOnly: Bool
    /// What its endpoint took to answer, seconds.
    package let responseTime: Double?
    /// How its endpoint served it: `TLSv1.3`, the cipher suite, and what the stapled OCSP response says (`none`, `good`, `revoked`, `unusable`).
    package let protocolName: String?
    package let cipher: String?
    package let stapled: String?
    package let keyReuse: KeyReuse?
    private let reported: [ReportedFinding]
    private let reportedScore: Int64?
    package let profile: String
    package let role: String
    /// The ids of its issuers, nearest first.
    package let chain: [String]
    /// SHA-256 of the public key's encoding; empty when unknown.
    package let keyId: String
    /// Its private key lies beside it.
    package let hasKey: Bool
    private let verdict: CertificateStatus
    package private(set) var issuer: String
    package private(set) var names: [String] = []
    package private(set) var serial = ""
    package private(set) var keyAlgorithm = ""
    package private(set) var keyBits: Int64 = 0
    package private(set) var signatureAlgorithm = ""
    package private(set) var isAuthority = false

    /// From a document of `certificatePlaces`.
    init?(place: Document) {
        guard let device = place["device"]?.text, let path = place["path"]?.text, let id = place["certificate"]?.text else { return nil }
        self.device = device
        self.path = path
        self.id = id
        subject = place["subject"]?.text ?? ""
        notBefore = place["notBefore"]?.integer
        notAfter = place["notAfter"]?.integer
        isTrusted = place["trusted"]?.bool ?? false
        trustError = place["trustError"]?.text
        seenAt = place["seenAt"]?.integer ?? 0
        firstSeen = place["firstSeen"]?.integer ?? seenAt
        source = place["source"]?.text ?? "file"
        isServedOnly = place["servedOnly"]?.bool ?? false
        responseTime = place["responseTime"]?.number
        protocolName = place["protocol"]?.text
        cipher = place["cipher"]?.text
        stapled = place["stapled"]?.text
        keyReuse = place["keyReuse"]?.text.flatMap(KeyReuse.init)
        reported = ReportedFinding.list(place["findings"])
        reportedScore = place["score"]?.integer
        issuer = place["issuer"]?.text ?? ""
        profile = place["profile"]?.text ?? ""
        role = place["role"]?.text ?? ""
        chain = (place["chain"]?.array ?? []).compactMap { $0.text }
        keyId = place["keyId"]?.text ?? ""
        hasKey = place["hasKey"]?.bool ?? false
        verdict = .verdict(of: place.body)
    }

    /// The device in the id of a document of `certificatePlaces`; no device's id has a `|`.
    package static func device(ofPlace id: String) -> String { String(id.prefix { $0 != "|" }) }

    /// With the facts from the document of `certificates`.
    func with(facts: Document) -> CertificateAtPlace {
        var copy = self
        copy.issuer = facts["issuer"]?.text ?? ""
        copy.names = facts["names"]?.array?.compactMap { $0.text } ?? []
        copy.serial = facts["serial"]?.text ?? ""
        copy.keyAlgorithm = facts["key_algorithm"]?.text ?? ""
        copy.keyBits = facts["key_bits"]?.integer ?? 0
        copy.signatureAlgorithm = facts["signature_algorithm"]?.text ?? ""
        copy.isAuthority = facts["is_authority"]?.bool ?? false
        return copy
    }

    /// What the device found at its scan, the worst first, and before it what only the whole fleet shows.
    package var findings: [ReportedFinding] {
        guard let keyReuse, !reported.contains(where: { $0.code == keyReuse.code }) else { return reported }
        return [ReportedFinding(keyReuse)] + reported
    }

    /// 0…100; nil from an agent that does not tell.
    package var score: Int64? {
        let isKnown = keyReuse.map { reuse in reported.contains { $0.code == reuse.code } } ?? true
        return reportedScore.map { max(0, $0 - (isKnown ? 0 : keyReuse?.penalty ?? 0)) }
    }

    package func status(at now: Int64) -> CertificateStatus { .judge(verdict, notAfter: notAfter, at: now) }

    package func validity(at now: Int64) -> CertificateValidity {
        .judge(notBefore: notBefore, notAfter: notAfter, isTrusted: isTrusted, at: now)
    }

    package func daysLeft(at now: Int64) -> Int64? { CertificateValidity.daysLeft(notAfter: notAfter, at: now) }
}
