import CertificateService
import DocumentStores
import Hummingbird
import LinuxDriver
import Telemetry

/// `/v1/certificates`: certificates across the fleet.
struct CertificateRoutes<Context: RequestContext>: Sendable {
    private static var limitDefault: Int { 1_000 }
    /// How far ahead a question may look, days.
    private static var daysMax: Int { 36_500 }
    private static var calendarDays: Int { 365 }

    let certificates: CertificateService
    let validator: CertificateValidator
    let clock: Clock

    func add(to router: Router<Context>) {
        router.get("v1/certificates") { request, _ in try await list(request) }
        router.get("v1/certificates/calendar") { request, _ in try await calendar(request) }
        router.get("v1/certificates/keys") { request, _ in try await keys(request) }
        router.post("v1/certificates/validate") { request, _ in try await validate(request) }
        router.get("v1/certificates/{certificate}") { request, context in try await show(Self.certificate(request, context)) }
        router.get("v1/certificates/{certificate}/blast-radius") { request, context in
            try await blastRadius(Self.certificate(request, context))
        }
    }

    /// What stands beside the certificates, and takes other methods than they do.
    private static var notCertificate: String { "validate" }

    private static func certificate(_ request: Request, _ context: Context) throws -> String {
        let id = context.parameters.get("certificate") ?? ""
        guard id != notCertificate else { throw HTTPError(.notFound) }
        try request.takes()
        return try request.fingerprint(id, "a certificate's id")
    }

    private func unknown(_ id: String) -> Problem { Problem(.notFound, "no device has reported a certificate with the id \(id)") }

    // MARK: Lists

    private func list(_ request: Request) async throws -> Response {
        try request.takes("device", "status", "validity", "finding", "issuer", "key", "expires_within", "served_not_on_disk", "limit", "after")
        let now = clock.wall()
        var question = CertificateQuestion()
        question.device = try request.device("device")
        question.status = try request.choice("status", CertificateStatus.allCases)
        question.validity = try request.choice("validity", CertificateValidity.allCases)
        question.finding = try request.choice("finding", FindingAdvice.codes.map { ($0, $0) })
        question.issuer = try request.parameter("issuer")
        question.key = try request.parameter("key").map { key throws(Problem) in try request.fingerprint(key, "key") }
        question.endsBefore = try request.count("expires_within", max: Self.daysMax).map { now + Int64($0) * CertificateCursor.dayMilliseconds }
        question.isServedOnly = try request.flag("served_not_on_disk")
        question.after = try request.parameter("after").map { text throws(Problem) in try CertificateCursor.read(text) }
        question.limit = try request.count("limit", max: CertificateQuestion.limitMax) ?? Self.limitDefault
        let page = try await certificates.page(question, at: now)
        return .json { object in
            object.array("certificates") { array in for one in page.certificates { array.certificate(one, at: now) } }
            if let next = page.next { object.string("next", CertificateCursor.text(next)) } else { object.null("next") }
        }
    }

    private func calendar(_ request: Request) async throws -> Response {
        try request.takes("from", "days")
        let now = clock.wall()
        let from = try request.parameter("from").map { text throws(Problem) in try TimeParameters.time(text, "from", now: now) } ?? now
        let days = try request.count("days", max: Self.daysMax) ?? Self.calendarDays
        let calendar = try await certificates.calendar(from..<from + Int64(days) * CertificateCursor.dayMilliseconds)
        return .json { object in
            object.array("days") { array in for day in calendar.days { array.object { $0.expiryDay(day, at: now) } } }
            object.bool("cut", calendar.isCut)
        }
    }

    private func keys(_ request: Request) async throws -> Response {
        try request.takes()
        let found = try await certificates.reusedKeys()
        return .json { object in
            object.array("keys") { array in
                for key in found {
                    array.object { object in
                        object.string("key_id", key.id)
                        object.string("severity", key.reuse.rawValue)
                        object.string("code", key.reuse.code)
                        object.texts("certificates", key.certificates)
                        object.texts("devices", key.devices)
                        object.texts("private_key_on", key.holders)
                    }
                }
            }
        }
    }

    // MARK: One certificate

    private func show(_ id: String) async throws -> Response {
        guard let detail = try await certificates.detail(of: id) else { throw unknown(id) }
        let now = clock.wall()
        return .json { $0.detailMembers(detail, at: now) }
    }

    private func blastRadius(_ id: String) async throws -> Response {
        guard let radius = try await certificates.blastRadius(of: id) else { throw unknown(id) }
        let now = clock.wall()
        return .json { $0.blastRadiusMembers(radius, at: now) }
    }

    // MARK: Validation

    private func validate(_ request: Request) async throws -> Response {
        try request.takes("profile", "trust", "hostname", "at")
        let now = clock.wall()
        let at = try request.parameter("at").map { text throws(Problem) in try TimeParameters.time(text, "at", now: now) }
        let profile = try request.choice("profile", CertificateValidator.profiles)
        let trust = try request.choice("trust", CertificateValidator.Trust.allCases)
        let hostName = try request.parameter("hostname")
        guard hostName.map({ $0.utf8.count <= 253 }) ?? true else { throw Problem(.badRequest, "hostname is longer than 253 bytes") }
        // What is larger is answered with 413.
        let body = try await request.body.collect(upTo: CertificateValidator.bytesMax)
        guard body.readableBytes > 0 else { throw Problem(.badRequest, "the body is to be certificates, PEM or DER, the leaf first") }
        var question = CertificateValidator.Question(bytes: Array(body.readableBytesView), at: at ?? now)
        if let profile { question.profile = profile }
        if let trust { question.trust = trust }
        question.hostName = hostName
        let asked = question
        let report = await validator.report(asked)
        guard !report.certificates.isEmpty else {
            throw Problem(.badRequest, "there is no certificate in the body" + (report.problems.first.map { ": " + $0 } ?? ""))
        }
        return .json { object in
            object.string("verdict", report.verdict)
            object.time("at", asked.at)
            object.string("profile", asked.profileName)
            object.string("trust", asked.trust.rawValue)
            if let hostName { object.string("hostname", hostName) } else { object.null("hostname") }
            object.array("certificates") { array in for json in report.jsons { array.raw(nil, json) } }
            object.texts("problems", report.problems)
        }
    }
}
