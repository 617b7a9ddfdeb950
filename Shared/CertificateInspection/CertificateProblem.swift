import LinuxDriver

/// Why a path gave no certificate, or not all of them: a result of a scan like any other, not a failure of it.
package struct CertificateProblem: Equatable, Sendable {
    package enum Reason: UInt8, Sendable {
        case missing, unreadable, notRegular, noCertificate, malformed, tooLarge, limitReached, trustSource, keyReadable, unreachable, locked

        /// The reason as documents name it.
        package var name: String {
            switch self {
            case .missing: "missing"
            case .unreadable: "unreadable"
            case .notRegular: "not a regular file"
            case .noCertificate: "no certificate inside"
            case .malformed: "malformed"
            case .tooLarge: "too large"
            case .limitReached: "limit reached"
            case .trustSource: "trust source unusable"
            case .locked: "locked by another password"
            case .unreachable: "unreachable"
            case .keyReadable: "private key readable by every user"
            }
        }
    }

    package static let detailBytesMax = 512

    package let path: String
    package let reason: Reason
    package let detail: String

    package init(_ reason: Reason, _ path: String, _ detail: String = "") {
        self.path = BoundedText.cut(FileName.shown(path), to: CertificateRecord.pathBytesMax)
        self.reason = reason
        self.detail = BoundedText.cut(FileName.shown(detail), to: Self.detailBytesMax)
    }

    /// A file of so many bytes, of which so many are read.
    package init(tooLarge path: String, _ size: Int64, max: Int64) {
        self.init(.tooLarge, path, String(size) + " bytes, at most " + String(max))
    }

    /// The reason and its detail, for people.
    package var text: String { detail.isEmpty ? reason.name : reason.name + ": " + detail }
}
