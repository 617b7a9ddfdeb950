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
    }

    private func list(_ request: Request) async throws -> Response {
        try request.takes("device", "status")
        let device = try request.device("device")
        let status = try request.parameter("status").map { text throws(Problem) in
            guard let status = CertificateStatus(rawValue: text) else {
                let known = CertificateStatus.allCases.map { $0.rawValue }.joined(separator: ", ")
                throw Problem(.badRequest, "status is none of \(known)")
            }
            return status
        }
        let now = clock.wall()
        let found = try await certificates.certificates(of: device, status: status, at: now, limit: Self.certificatesMax)
        return .json { object in
            object.array("certificates") { array in for certificate in found { array.certificate(certificate, at: now) } }
        }
    }
}
