import Telemetry

/// One thing that is to be said about a certificate.
package struct Finding: Equatable, Sendable {
    package static let detailBytesMax = 96

    package let code: FindingCode
    package let severity: Severity
    /// Whose certificate, how many days, which file: empty where the code says it all.
    package let detail: String

    package init(_ code: FindingCode, in profile: ValidationProfile, detail: String = "") {
        self.init(code, code.severity(in: profile), detail: detail)
    }

    /// A finding whose detail is another file.
    package init(_ code: FindingCode, in profile: ValidationProfile, path: String) {
        self.init(code, in: profile, detail: BoundedText.cut(path: path, to: Self.detailBytesMax))
    }

    package init(_ code: FindingCode, _ severity: Severity, detail: String) {
        self.code = code
        self.severity = severity
        self.detail = BoundedText.cut(detail, to: Self.detailBytesMax)
    }

    /// As documents have it; the sentences go by the code, and are written for people alone.
    func write(into object: inout JSONWriter, withAdvice: Bool) {
        object.string("code", code.name)
        object.string("severity", severity.name)
        if !detail.isEmpty { object.string("detail", detail) }
        guard withAdvice else { return }
        object.string("why", code.why)
        object.string("fix", code.fix)
    }
}

/// How far a certificate can be relied on, 0…100.
///
/// 100, less 60 for each critical finding, 15 for each problem and 1 for each note, and never below 0; a code counts once, with its worst
/// severity. One finding more, or a worse one, never raises it.
package enum SecurityScore {
    package static func of(_ findings: [Finding]) -> Int {
        var score = 100
        for (index, finding) in findings.enumerated() {
            let ofCode = findings.filter { $0.code == finding.code }
            guard findings[..<index].allSatisfy({ $0.code != finding.code }) else { continue }
            score -= ofCode.map { $0.severity.penalty }.max() ?? 0
        }
        return max(0, score)
    }
}
