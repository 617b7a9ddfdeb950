import LinuxDriver
import OpenSSLDriver

/// Judges certificates against this machine's trust. It holds the trust store: keep it for one scan and let it go.
package final class CertificateInspector {
    /// Sources of trust that could not be used.
    package let problems: [CertificateProblem]
    private let store: TrustStore?

    package init(trust: TrustSources) {
        do throws(OpenSSLError) {
            let store = try TrustStore()
            var loader = TrustLoader(store: store)
            loader.load(trust.resolved())
            self.store = store
            problems = loader.problems
        } catch {
            store = nil
            problems = [CertificateProblem(.trustSource, "", error.description)]
        }
    }

    /// The record of a certificate, and the next instant at which judging it again could end differently.
    ///
    /// `now` is in milliseconds since 1970; nil for a machine that does not know the time, where no issuer's date counts.
    func inspect(
        _ certificate: Certificate, path: String, intermediates: [Certificate], at now: Int64?, since started: Int64
    ) -> InspectedCertificate {
        let facts = certificate.facts()
        var chain: [ChainLink] = []
        var trustError: String?
        if facts.notBefore == nil || facts.notAfter == nil {
            trustError = "malformed validity dates"
        } else if let store {
            do throws(OpenSSLError) {
                let verdict = try store.verify(certificate, intermediates: intermediates, at: now)
                chain = verdict.chain
                trustError = verdict.isTrusted ? nil : Self.text(of: verdict)
            } catch {
                trustError = error.description
            }
        } else {
            trustError = "no trust store"
        }
        let seconds = Double(max(0, Clock.monotonicNanoseconds() - started)) / 1e9
        let record = CertificateRecord(facts, path: path, trustError: trustError, validationTime: seconds)
        return InspectedCertificate(record: record, changesAt: now.flatMap { Self.nextDate(after: $0, in: chain) })
    }

    /// libcrypto's words, and for a failure above the leaf whose certificate it is.
    private static func text(of verdict: TrustVerdict) -> String {
        guard verdict.depth > 0, verdict.depth < verdict.chain.count else { return verdict.text }
        return verdict.text + " (" + BoundedText.cut(verdict.chain[verdict.depth].subject, to: CertificateRecord.shortTextBytesMax / 2) + ")"
    }

    private static func nextDate(after now: Int64, in chain: [ChainLink]) -> Int64? {
        var next: Int64?
        for link in chain {
            for date in [link.notBefore, link.notAfter] {
                if let date, date > now, date < next ?? .max { next = date }
            }
        }
        return next
    }
}

/// A record and how long its verdict on trust can stand.
package struct InspectedCertificate: Sendable {
    package let record: CertificateRecord
    /// The first date of the chain that is still to come, milliseconds since 1970.
    package let changesAt: Int64?
}
