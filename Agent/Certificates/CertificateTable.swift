import CertificateInspection
import LinuxDriver
import OpenSSLDriver
import Telemetry

/// The result of a scan for people and for scripts, handed over piece by piece: a directory of many thousands never stands in memory as text.
package struct CertificateTable {
    private static let subjectColumns = 40
    private static let pieceBytes = 32 * 1024

    private let records: [CertificateRecord]
    private let endpoints: [EndpointRecord]
    private let problems: [CertificateProblem]
    private let keysUnread: Int
    private let bareKeys: [BareKey]
    /// Milliseconds since 1970.
    private let at: Int64
    private let clockIsTrustworthy: Bool

    package init(
        records: [CertificateRecord], endpoints: [EndpointRecord] = [], problems: [CertificateProblem], keysUnread: Int = 0,
        bareKeys: [BareKey] = [], at: Int64, clockIsTrustworthy: Bool
    ) {
        self.records = records
        self.endpoints = endpoints
        self.problems = problems
        self.keysUnread = keysUnread
        self.bareKeys = bareKeys
        self.at = at
        self.clockIsTrustworthy = clockIsTrustworthy
    }

    /// The worst that there is: what could not be looked at is a problem.
    package var worst: Severity {
        var worst = problems.isEmpty ? Severity.note : .problem
        for index in 0..<count { worst = max(worst, findings(of: record(index)).first?.severity ?? .note) }
        return worst
    }

    private var count: Int { records.count + endpoints.count }

    private func record(_ index: Int) -> CertificateRecord { index < records.count ? records[index] : endpoints[index - records.count].record }

    /// The worst first.
    private func findings(of record: CertificateRecord) -> [Finding] { record.findings(at: at, clockIsTrustworthy: clockIsTrustworthy) }

    // MARK: For people

    package func text() -> String {
        var text = ""
        writeText { text += $0 }
        return text
    }

    package func writeText(_ write: (String) -> Void) {
        if count > 0 { write(Self.row("STATUS", "DAYS", "SCORE", "CERTIFICATE", "WHERE")) }
        var counts = [0, 0, 0]
        var classical = 0
        for index in 0..<count {
            let findings = findings(of: record(index))
            counts[Int((findings.first?.severity ?? .note).rawValue)] += 1
            if findings.contains(where: { $0.code == .notQuantumSafe }) { classical += 1 }
            write(lines(of: index, findings))
        }
        for problem in problems { write(Log.escaped(problem.path) + ": " + Log.escaped(problem.text) + "\n") }
        if classical > 0 {
            write("note: " + String(classical) + " certificates are " + FindingCode.notQuantumSafe.name + ", as almost all are today\n")
        }
        if keysUnread > 0 { write("note: " + String(keysUnread) + " private keys that this user must not read were not compared\n") }
        if !bareKeys.isEmpty { write("note: " + String(bareKeys.count) + " private keys belong to none of these certificates\n") }
        write(
            String(count) + " certificates: " + String(counts[2]) + " critical, " + String(counts[1]) + " with problems, " + String(counts[0])
                + " ok; " + String(problems.count) + " paths with problems\n")
    }

    private func lines(of index: Int, _ findings: [Finding]) -> String {
        let record = record(index)
        let days = clockIsTrustworthy ? record.daysLeft(at: at).map { String($0) } ?? "?" : "?"
        let subject = record.subject.isEmpty ? "(no subject)" : record.subject
        var text = Self.row(
            FindingVerdict.word(for: findings), days, String(SecurityScore.of(findings)), subject, Log.escaped(record.path))
        if index >= records.count {
            let endpoint = endpoints[index - records.count]
            text += "    " + endpoint.protocolName + " " + endpoint.cipher + ", " + String(Int64(endpoint.responseTime * 1000))
            text += " ms, stapled OCSP: " + endpoint.stapled.name + "\n"
        }
        var notes = ""
        for finding in findings {
            // Of nearly all: one line at the end tells of it.
            if finding.code == .notQuantumSafe && finding.severity == .note { continue }
            if finding.severity == .note {
                notes += (notes.isEmpty ? "    note: " : ", ") + finding.code.name
            } else {
                text += Self.lines(of: finding)
            }
        }
        return notes.isEmpty ? text : text + notes + "\n"
    }

    private static func lines(of finding: Finding) -> String {
        let detail = finding.detail.isEmpty ? "" : " (" + Log.escaped(finding.detail) + ")"
        return "    " + finding.severity.name + " " + finding.code.name + detail + ": " + finding.code.why + "\n        " + finding.code.fix + "\n"
    }

    private static func row(_ status: String, _ days: String, _ score: String, _ subject: String, _ place: String) -> String {
        padded(status, 9) + padded(days, -6) + padded(score, -7) + "  " + padded(subject, subjectColumns) + "  " + place + "\n"
    }

    /// To so many columns, or to the right of as many below zero.
    private static func padded(_ text: String, _ columns: Int) -> String {
        let space = String(repeating: " ", count: max(0, abs(columns) - text.unicodeScalars.count))
        return columns < 0 ? space + text : text + space
    }

    // MARK: For scripts

    package func json() -> String {
        var text = ""
        writeJSON { text += $0 }
        return text
    }

    /// One JSON object, with advice in each finding.
    package func writeJSON(_ write: (String) -> Void) {
        write("{\"at\":\"" + Timestamp.text(at) + "\",\"status\":\"" + FindingVerdict.word(for: worst) + "\",\"certificates\":[")
        writeList(records.count, write) { records[$0].json(at: at, clockIsTrustworthy: clockIsTrustworthy, withAdvice: true) }
        write("],\"endpoints\":[")
        writeList(endpoints.count, write) { endpoints[$0].json(at: at, clockIsTrustworthy: clockIsTrustworthy, withAdvice: true) }
        write("],\"problems\":[")
        writeList(problems.count, write) { CertificateReport.json(of: problems[$0]) }
        write("],\"keys\":[")
        writeList(bareKeys.count, write) { bareKeys[$0].json }
        write("]}\n")
    }

    private func writeList(_ count: Int, _ write: (String) -> Void, _ item: (Int) -> String) {
        var piece = ""
        for index in 0..<count {
            if index > 0 { piece += "," }
            piece += item(index)
            guard piece.utf8.count > Self.pieceBytes else { continue }
            write(piece)
            piece = ""
        }
        write(piece)
    }
}
