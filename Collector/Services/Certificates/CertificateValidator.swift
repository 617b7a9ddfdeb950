import CertificateInspection
import LinuxDriver
import OpenSSLDriver
import Telemetry

/// Looks at certificates that a client sends, as an agent looks at those of its device. One at a time: the machine's anchors are read anew each time.
package actor CertificateValidator {
    /// What a client may send, and how many certificates of it are looked at.
    package static let bytesMax = 256 * 1024
    package static let certificatesMax = 64
    /// Signatures that are verified for chains, all certificates together: three a chain are many, and each may take milliseconds.
    package static let signaturesMax = 512

    /// Which roots are trusted.
    package enum Trust: String, CaseIterable, Sendable {
        /// This machine's.
        case system
        /// Those among the certificates that were sent: who vouch for themselves.
        case given
    }

    package struct Question: Sendable {
        /// PEM or DER: the leaf first.
        package var bytes: [UInt8]
        package var profile = ValidationProfile.webpki
        package var trust = Trust.system
        /// The name that the first certificate is to be good for; nil for none.
        package var hostName: String?
        /// Milliseconds since 1970.
        package var at: Int64

        package var profileName: String { profile.name }

        package init(bytes: [UInt8], at: Int64) {
            self.bytes = bytes
            self.at = at
        }
    }

    /// What is to be said of each certificate.
    package struct Report: Sendable {
        package var certificates: [CertificateRecord] = []
        /// What could not be read.
        package var problems: [String] = []
        let at: Int64

        /// The worst finding's severity, or that there is none that matters: `ok`, `problem`, `critical`.
        package var verdict: String {
            let worst = certificates.flatMap { $0.findings(at: at, clockIsTrustworthy: true) }.map { $0.severity }.max()
            if worst == .critical { return "critical" }
            return worst == .problem || !problems.isEmpty ? "problem" : "ok"
        }

        package var jsons: [String] { certificates.map { $0.json(at: at, clockIsTrustworthy: true, withAdvice: true) } }
    }

    package static let profiles = [ValidationProfile.webpki, .device].map { (name: $0.name, value: $0) }

    package init() {}

    package func report(_ question: Question) -> Report {
        let inspector = CertificateInspector(trust: TrustSources(usesSystemStore: question.trust == .system))
        inspector.signaturesLeft = Self.signaturesMax
        if question.trust == .given { inspector.trustRoots(in: question.bytes) }
        var report = Report(at: question.at)
        var file = FileInspection(path: "", bytes: question.bytes, profile: question.profile)
        look: while true {
            guard report.certificates.count < Self.certificatesMax else {
                report.problems.append("more than \(Self.certificatesMax) certificates")
                break
            }
            switch file.next(with: inspector, at: question.at) {
            case .certificate(let one): report.certificates.append(one.record)
            case .fault(let text): if report.problems.count < Self.certificatesMax { report.problems.append(text) }
            case .locked: report.problems.append("a container that needs a password")
            case .end: break look
            }
        }
        if let hostName = question.hostName, !report.certificates.isEmpty, let first = leaf(question, hostName, inspector) {
            report.certificates[0] = first
        }
        if inspector.signaturesLeft <= 0 {
            report.problems.append("finding chains took more than \(Self.signaturesMax) signatures, and was cut off")
        }
        return report
    }

    /// The first certificate with the name that it is to be good for, the others as its issuers.
    private func leaf(_ question: Question, _ hostName: String, _ inspector: CertificateInspector) -> CertificateRecord? {
        var reader = CertificateReader(question.bytes)
        var chain: [Certificate] = []
        while chain.count < Self.certificatesMax {
            do throws(OpenSSLError) {
                guard let one = try reader.next() else { break }
                chain.append(one)
            } catch { continue }
        }
        return inspector.inspect(served: chain, host: hostName, endpoint: "", stapled: .none, profile: question.profile, at: question.at)?.record
    }
}
