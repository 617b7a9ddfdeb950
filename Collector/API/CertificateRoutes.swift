import CertificateService
import Hummingbird
import LinuxDriver
import Telemetry

/// `/v1/certificates`: certificates across the fleet, soonest expiry first.
struct CertificateRoutes<Context: RequestContext>: Sendable {
    /// Certificates of an answer, some 10 MB of JSON; what is cut off expires last.
    private static var certificatesMax: Int { 20_000 }

    let certificates: CertificateService
    let clock: Clock

    func add(to router: Router<Context>) {
        router.get("v1/certificates") { request, _ in try await list(request) }
        router.get("v1/certificates/calendar") { request, _ in try await calendar(request) }
        router.get("v1/certificates/keys") { request, _ in try await keys(request) }
        router.get("v1/certificates/:id/dependents") { request, context in try await dependents(request, context) }
    }

    private func list(_ request: Request) async throws -> Response {
        try request.takes("device", "status", "finding", "issuer", "key", "expires_within")
        let device = try request.device("device")
        let status = try request.parameter("status").map { text throws(Problem) in
            guard let status = CertificateStatus(rawValue: text) else {
                let known = CertificateStatus.allCases.map { $0.rawValue }.joined(separator: ", ")
                throw Problem(.badRequest, "status is none of \(known)")
            }
            return status
        }
        let now = clock.wall()
        var filter = CertificateFilter(status: status)
        filter.finding = try request.parameter("finding")
        filter.issuer = try request.parameter("issuer")
        filter.key = try request.parameter("key")
        filter.endsBefore = try request.count("expires_within", max: Self.daysMax).map { now + Int64($0) * Self.dayMilliseconds }
        let found = try await certificates.certificates(of: device, filter, at: now, limit: Self.certificatesMax)
        return .json { object in
            object.array("certificates") { array in for certificate in found { array.certificate(certificate, at: now) } }
        }
    }

    private static var dayMilliseconds: Int64 { 86_400_000 }
    /// How far ahead a question may look.
    private static var daysMax: Int { 36_500 }
    private static var calendarDays: Int { 365 }

    /// What ends when, a day at a time.
    private func calendar(_ request: Request) async throws -> Response {
        try request.takes("days")
        let now = clock.wall()
        let days = try request.count("days", max: Self.daysMax) ?? Self.calendarDays
        let found = try await certificates.inventory(at: now).calendar(now..<now + Int64(days) * Self.dayMilliseconds)
        return .json { object in
            object.array("days") { array in
                for day in found {
                    array.object { object in
                        object.time("date", day.day * Self.dayMilliseconds)
                        object.array("devices") { array in for device in day.devices { array.string(nil, device) } }
                        object.array("certificates") { array in for certificate in day.certificates { array.certificate(certificate, at: now) } }
                    }
                }
            }
        }
    }

    /// Keys that are not one certificate's alone.
    private func keys(_ request: Request) async throws -> Response {
        try request.takes()
        let found = try await certificates.inventory(at: clock.wall()).sharedKeys()
        return .json { object in
            object.array("keys") { array in
                for key in found {
                    array.object { object in
                        object.string("key_id", key.id)
                        object.string("severity", key.severity)
                        object.array("certificates") { array in for id in key.certificates { array.string(nil, id) } }
                        object.array("devices") { array in for device in key.devices { array.string(nil, device) } }
                        object.array("private_key_on") { array in for device in key.holders { array.string(nil, device) } }
                    }
                }
            }
        }
    }

    /// What stops working with an authority.
    private func dependents(_ request: Request, _ context: Context) async throws -> Response {
        try request.takes()
        let id = context.parameters.get("id") ?? ""
        guard id.utf8.count == 64 else { throw Problem(.badRequest, "a certificate's id is its SHA-256 in 64 hexadecimal digits") }
        let now = clock.wall()
        let found = try await certificates.inventory(at: now).dependents(of: id)
        return .json { object in
            object.string("id", id)
            object.string("subject", found.subject)
            object.time("not_after", found.notAfter)
            object.array("devices") { array in for device in found.devices { array.string(nil, device) } }
            object.array("certificates") { array in for certificate in found.certificates { array.certificate(certificate, at: now) } }
        }
    }
}
