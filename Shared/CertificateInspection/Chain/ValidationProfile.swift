/// By whose rules a certificate is measured.
package enum ValidationProfile: UInt8, Sendable, CaseIterable {
    /// What browsers and the CA/Browser Forum's baseline requirements ask of public servers.
    case webpki
    /// A private PKI's certificates: whatever RFC 5280 needs for a path to be valid, and no more. Long lives and missing names are notes.
    case device
    /// RFC 5280 to the letter, with none of the CA/Browser Forum's rules nor its exceptions.
    case rfc5280

    package init?(_ name: String) {
        switch name {
        case "webpki": self = .webpki
        case "device": self = .device
        case "rfc5280": self = .rfc5280
        default: return nil
        }
    }

    package var name: String {
        switch self {
        case .webpki: "webpki"
        case .device: "device"
        case .rfc5280: "rfc5280"
        }
    }
}

/// What a certificate is to be used for.
package enum Purpose: UInt8, Sendable { case any, server, client }

/// What is asked of a chain.
package struct ValidationRequest {
    package var profile: ValidationProfile
    /// Milliseconds since 1970; nil for a machine that does not know the time, where no date counts.
    package var at: Int64?
    /// False where the leaf's own dates are judged elsewhere.
    package var checksLeafDates = true
    package var purpose = Purpose.any
    /// The leaf's key must be for signatures, where its key usage says anything.
    package var needsDigitalSignature = false
    /// Names that the leaf must have, all of them; empty for no demand.
    package var names: [ReferenceName] = []
    package var suffixes = PublicSuffixes()
    /// Issuers between leaf and anchor, those not counted that issue to their own name.
    package var intermediatesMax = ChainBuilder.intermediatesMax

    package init(profile: ValidationProfile, at: Int64?) {
        self.profile = profile
        self.at = at
    }
}

/// A reason why a chain is not valid.
package struct ChainFault: Equatable, Sendable {
    package let code: FindingCode
    /// Where in the chain: 0 is the leaf.
    package let depth: Int
}

/// What came of looking for a chain.
package struct ChainVerdict {
    /// Empty when the chain is valid.
    package let faults: [ChainFault]
    /// Leaf first, as far as it could be built; the last is an anchor if there is one.
    package let chain: [ChainCertificate]

    package var isTrusted: Bool { faults.isEmpty }
}
