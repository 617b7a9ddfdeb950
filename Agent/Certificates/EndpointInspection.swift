import CertificateInspection
import LinuxDriver
import OpenSSLDriver

/// What an endpoint served, and what is to be said about it.
package struct EndpointRecord: Sendable {
    package let endpoint: Endpoint
    package let protocolName: String
    package let cipher: String
    package let stapled: StapledStatus
    /// From the first packet to the end of the handshake, seconds.
    package let responseTime: Double
    package var record: CertificateRecord
}

/// Looks at endpoints, one after the other; each takes `StreamSocket.sessionMilliseconds` at most.
package struct EndpointInspection {
    package static let endpointsMax = 256
    /// Addresses of a name that are tried.
    static let addressesMax = 4

    private let inspector: CertificateInspector
    private let profile: ValidationProfile
    /// Milliseconds since 1970; nil for a machine that does not know the time.
    private let now: Int64?

    package init(trust: TrustSources, profile: ValidationProfile, at now: Int64?, fetcher: RevocationFetcher? = nil) {
        // libssl writes to the socket by itself, and the peer may have gone.
        Signals.ignorePipe()
        inspector = CertificateInspector(trust: trust)
        if let fetcher { inspector.fetch = { fetcher.list(at: $0) } }
        self.profile = profile
        self.now = now
    }

    /// The issuers of all that was served until now.
    package var issuers: [CertificateRecord] { inspector.issuerRecords() }

    package func look(at endpoint: Endpoint) throws(CertificateProblemError) -> EndpointRecord {
        let addresses = SocketAddress.all(resolving: endpoint.host, port: endpoint.port, max: Self.addressesMax)
        guard !addresses.isEmpty else { throw CertificateProblemError(endpoint, "no such host") }
        let began = Clock.monotonicNanoseconds()
        let handshake = try shakeHands(with: endpoint, at: addresses)
        let seconds = Double(max(0, Clock.monotonicNanoseconds() - began)) / 1e9
        let found = inspector.inspect(
            served: handshake.chain, host: endpoint.host, endpoint: endpoint.text, stapled: handshake.stapled, profile: profile, at: now)
        guard var record = found?.record else { throw CertificateProblemError(endpoint, "no certificate is served") }
        record.assessment.findings += HandshakeFindings.of(protocolName: handshake.protocolName, cipher: handshake.cipher, in: profile)
        return EndpointRecord(
            endpoint: endpoint, protocolName: handshake.protocolName, cipher: handshake.cipher, stapled: handshake.stapled, responseTime: seconds,
            record: record)
    }

    private func shakeHands(with endpoint: Endpoint, at addresses: [SocketAddress]) throws(CertificateProblemError) -> TLSHandshake {
        let socket: StreamSocket
        do throws(SystemError) { socket = try StreamSocket.connect(toFirstOf: addresses) } catch {
            throw CertificateProblemError(endpoint, error.description)
        }
        do throws(StartTLS.Refusal) { try StartTLS.begin(endpoint.prelude, on: socket) } catch {
            throw CertificateProblemError(endpoint, error.text)
        }
        do throws(OpenSSLError) {
            return try TLSHandshake(on: socket.fd, host: endpoint.host, isName: endpoint.isName) { socket.waits(forWriting: $0) }
        } catch {
            throw CertificateProblemError(endpoint, error.description)
        }
    }

    /// Marks what is served where a newer certificate of its names lies on disk.
    package static func compare(_ served: inout [EndpointRecord], with records: [CertificateRecord]) {
        for index in served.indices {
            let one = served[index].record
            guard let end = one.notAfter, !records.contains(where: { $0.id == one.id }) else { continue }
            let newer = records.first { record in
                record.assessment.role == .leaf && record.notAfter ?? 0 > end && record.names.contains { one.names.contains($0) }
            }
            guard let newer else { continue }
            served[index].record.assessment.findings.append(Finding(.servedDiffers, in: one.assessment.profile, path: newer.path))
        }
    }
}

/// That an endpoint could not be looked at.
package struct CertificateProblemError: Error {
    package let problem: CertificateProblem

    init(_ endpoint: Endpoint, _ detail: String) { problem = CertificateProblem(.unreachable, endpoint.text, detail) }
}
