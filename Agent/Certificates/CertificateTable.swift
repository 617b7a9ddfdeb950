import CertificateInspection
import LinuxDriver
import OpenSSLDriver
import Telemetry

/// The result of a scan for people and for scripts.
package struct CertificateTable {
    private static let subjectColumns = 40

    private let records: [CertificateRecord]
    private let endpoints: [EndpointRecord]
    private let problems: [CertificateProblem]
    /// Milliseconds since 1970.
    private let at: Int64
    private let clockIsTrustworthy: Bool

    package init(
        records: [CertificateRecord], endpoints: [EndpointRecord] = [], problems: [CertificateProblem], at: Int64, clockIsTrustworthy: Bool
    ) {
        self.records = records
        self.endpoints = endpoints
        self.problems = problems
        self.at = at
        self.clockIsTrustworthy = clockIsTrustworthy
    }

    /// The worst that there is: what could not be looked at is a problem.
    package var worst: Severity {
        var worst = problems.isEmpty ? Severity.note : .problem
        for record in all {
            for finding in findings(of: record) { worst = max(worst, finding.severity) }
        }
        return worst
    }

    private var all: [CertificateRecord] { records + endpoints.map { $0.record } }

    private func findings(of record: CertificateRecord) -> [Finding] { record.findings(at: at, clockIsTrustworthy: clockIsTrustworthy) }

    private static func word(for severity: Severity?) -> String {
        guard let severity, severity != .note else { return "ok" }
        return severity.name
    }

    // MARK: For people

    package func text() -> String {
        var text = all.isEmpty ? "" : Self.row("STATUS", "DAYS", "SCORE", "CERTIFICATE", "WHERE")
        var counts = [0, 0, 0]
        for (index, record) in all.enumerated() {
            let findings = findings(of: record)
            let worst = findings.map { $0.severity }.max()
            counts[Int((worst ?? .note).rawValue)] += 1
            let days = clockIsTrustworthy ? record.daysLeft(at: at).map { String($0) } ?? "?" : "?"
            text += Self.row(Self.word(for: worst), days, String(SecurityScore.of(findings)), record.subject, record.path)
            if index >= records.count { text += Self.line(of: endpoints[index - records.count]) }
            for finding in findings where finding.severity != .note { text += Self.lines(of: finding) }
            let notes = findings.filter { $0.severity == .note }.map { $0.code.name }
            if !notes.isEmpty { text += "    note: " + Self.joined(notes) + "\n" }
        }
        for problem in problems { text += problem.path + ": " + problem.text + "\n" }
        text += String(all.count) + " certificates: " + String(counts[2]) + " critical, " + String(counts[1]) + " with problems, "
        return text + String(counts[0]) + " ok; " + String(problems.count) + " paths with problems\n"
    }

    private static func lines(of finding: Finding) -> String {
        let detail = finding.detail.isEmpty ? "" : " (" + finding.detail + ")"
        return "    " + finding.severity.name + " " + finding.code.name + detail + ": " + finding.code.why + "\n        "
            + finding.code.fix + "\n"
    }

    private static func line(of endpoint: EndpointRecord) -> String {
        "    " + endpoint.protocolName + " " + endpoint.cipher + ", " + String(Int64(endpoint.responseTime * 1000)) + " ms, stapled OCSP: "
            + endpoint.stapled.name + "\n"
    }

    private static func row(_ status: String, _ days: String, _ score: String, _ subject: String, _ place: String) -> String {
        let right = { (text: String, width: Int) in String(repeating: " ", count: max(0, width - text.utf8.count)) + text }
        let left = { (text: String, width: Int) in text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count)) }
        return left(status, 9) + right(days, 6) + right(score, 7) + "  " + left(subject.isEmpty ? "(no subject)" : subject, subjectColumns) + "  "
            + place + "\n"
    }

    private static func joined(_ texts: [String]) -> String { texts.reduce("") { $0.isEmpty ? $1 : $0 + ", " + $1 } }

    // MARK: For scripts

    package func json() -> String {
        var writer = JSONWriter()
        writer.object { object in
            object.string("at", Timestamp.text(at))
            object.string("status", Self.word(for: worst))
            object.array("certificates") { array in
                for record in records { array.raw(nil, record.json(at: at, clockIsTrustworthy: clockIsTrustworthy, withAdvice: true)) }
            }
            object.array("endpoints") { array in
                for endpoint in endpoints { array.object { write(endpoint, into: &$0) } }
            }
            object.array("problems") { array in
                for problem in problems {
                    array.object { object in
                        object.string("path", problem.path)
                        object.string("reason", problem.text)
                    }
                }
            }
        }
        return writer.text + "\n"
    }

    private func write(_ endpoint: EndpointRecord, into object: inout JSONWriter) {
        object.string("endpoint", endpoint.endpoint.text)
        object.string("protocol", endpoint.protocolName)
        object.string("cipher", endpoint.cipher)
        object.string("stapled", endpoint.stapled.name)
        object.number("response_time", endpoint.responseTime)
        object.raw("certificate", endpoint.record.json(at: at, clockIsTrustworthy: clockIsTrustworthy, withAdvice: true))
    }
}
