import CertificateInspection

/// Why a finding matters and what to do, a sentence each.
package struct FindingAdvice: Equatable, Sendable {
    package let why: String
    package let fix: String

    private static let known = Dictionary(FindingCode.allCases.map { ($0.name, FindingAdvice(why: $0.why, fix: $0.fix)) }) { first, _ in first }
        .merging([KeyReuse.critical.code: onSeveralDevices]) { first, _ in first }

    /// The codes of all findings that can be asked for.
    package static let codes = known.keys.sorted()

    /// Only the collector sees several devices.
    private static let onSeveralDevices = FindingAdvice(
        why: "Its private key lies on several devices: whoever gets into one of them can pass for all.",
        fix: "Make a key on each device, have it certified, and revoke the certificates of the shared one.")

    /// Nil for a code that only a newer agent knows.
    package static func of(_ code: String) -> FindingAdvice? { known[code] }
}
