import CertificateInspection
import Foundation
import LinuxDriver
import OpenSSLDriver

/// Runs one case through the agent's own checking.
struct CaseRunner {
    struct Outcome {
        let isAccepted: Bool
        let profile: ValidationProfile
        /// The findings, or what could not be read.
        let reason: String
    }

    /// Of all cases, unless a case says that it belongs to RFC 5280 alone.
    let profile: ValidationProfile

    func run(_ one: LimboCase) -> Outcome {
        let profile = profile(of: one)
        do {
            let leaf = try certificate(one.peerCertificate)
            let anchors = TrustAnchors()
            for text in one.trustedCerts { if let anchor = try? certificate(text) { anchors.add(anchor.certificate) } }
            let intermediates = (one.untrustedIntermediates ?? []).compactMap { try? certificate($0) }
            let lists = try (one.crls ?? []).map { try RevocationList(try Self.decoded($0)) }
            var builder = ChainBuilder(anchors: anchors, intermediates: intermediates, request: try request(one, profile), revocations: lists)
            let verdict = builder.verdict(on: leaf)
            let reason = verdict.faults.map { $0.code.name + "@" + String($0.depth) }.joined(separator: " ")
            return Outcome(isAccepted: verdict.isTrusted, profile: profile, reason: reason)
        } catch {
            return Outcome(isAccepted: false, profile: profile, reason: "unreadable: \(error)")
        }
    }

    /// The corpus holds pairs of cases of which one follows RFC 5280 and the other the CA/Browser Forum where the two contradict each other.
    private func profile(of one: LimboCase) -> ValidationProfile {
        let isTagged = one.features?.contains("rfc5280-incompatible-with-webpki") ?? false
        let contradicts = one.id.hasPrefix("rfc5280::") && (one.conflictsWith ?? []).contains { $0.hasPrefix("webpki::") }
        return profile == .webpki && (isTagged || contradicts) ? .rfc5280 : profile
    }

    private func request(_ one: LimboCase, _ profile: ValidationProfile) throws -> ValidationRequest {
        var request = ValidationRequest(profile: profile, at: try time(one))
        let usages = one.extendedKeyUsage ?? []
        request.purpose = usages.contains("clientAuth") || usages.isEmpty && one.validationKind == "CLIENT" ? .client : .server
        if one.keyUsage?.contains("digitalSignature") ?? false { request.needsDigitalSignature = true }
        request.names = (one.expectedPeerName.map { [$0] } ?? one.expectedPeerNames ?? []).map { name in
            name.kind == "RFC822" ? .email(Array(name.value.utf8)) : ReferenceName(host: name.value)
        }
        if let depth = one.maxChainDepth { request.intermediatesMax = depth }
        return request
    }

    private func time(_ one: LimboCase) throws -> Int64 {
        guard let text = one.validationTime else { return Clock.system.wall() }
        guard let time = Timestamp.parse(text) else { throw CocoaError(.formatting) }
        return time
    }

    private func certificate(_ text: String) throws -> ChainCertificate {
        var reader = CertificateReader(Array(text.utf8))
        guard let one = try reader.next() else { throw CocoaError(.fileReadCorruptFile) }
        return try ChainCertificate(one)
    }

    private static func decoded(_ pem: String) throws -> [UInt8] {
        let lines = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }
        guard let data = Data(base64Encoded: lines.joined()) else { throw CocoaError(.coderInvalidValue) }
        return [UInt8](data)
    }
}
