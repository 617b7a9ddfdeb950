import LinuxDriver
import Telemetry

/// What was found, for people or for programs.
package struct DoctorReport {
    package let findings: [DoctorFinding]

    package init(_ findings: [DoctorFinding]) { self.findings = findings }

    /// Advice alone is no failure.
    package var exitCode: Int32 {
        if findings.contains(where: { $0.state == .wrong }) { return ExitCode.configuration }
        return findings.contains { $0.state == .problem } ? ExitCode.unavailable : ExitCode.ok
    }

    /// A line a finding. What servers say ends up here: nothing in it may move a terminal's cursor.
    package var text: String {
        let width = findings.reduce(0) { max($0, $1.subject.utf8.count) }
        var text = ""
        for finding in findings {
            text += Self.padded(finding.state.rawValue, to: 7) + "  " + Self.padded(finding.subject, to: width) + "  " + Log.escaped(finding.detail)
            if let remedy = finding.remedy { text += ": " + Log.escaped(remedy) }
            text += "\n"
        }
        return text
    }

    package var json: String {
        var writer = JSONWriter()
        writer.object { json in
            json.bool("ok", exitCode == ExitCode.ok)
            json.array("findings") { json in
                for finding in findings {
                    json.object { json in
                        json.string("state", finding.state.rawValue)
                        json.string("subject", finding.subject)
                        json.string("detail", finding.detail)
                        if let remedy = finding.remedy { json.string("remedy", remedy) } else { json.null("remedy") }
                    }
                }
            }
        }
        return writer.text + "\n"
    }

    private static func padded(_ text: String, to width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.utf8.count)) }
}
