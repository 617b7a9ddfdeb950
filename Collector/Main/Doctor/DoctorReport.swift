import Settings
import Telemetry

/// What was found, for people or for programs.
struct DoctorReport {
    let findings: [DoctorFinding]

    /// Advice alone is no failure.
    var exitCode: Int32 {
        if findings.contains(where: { $0.state == .wrong }) { return ExitCode.configuration }
        return findings.contains { $0.state == .problem } ? ExitCode.unavailable : ExitCode.ok
    }

    /// A line a finding. What servers say ends up here: nothing in it may move a terminal's cursor.
    var text: String {
        let width = findings.map { $0.subject.count }.max() ?? 0
        return findings.map { finding in
            let state = finding.state.rawValue.padded(to: 7)
            let line = "\(state)  \(finding.subject.padded(to: width))  \(finding.detail)" + (finding.remedy.map { ": " + $0 } ?? "")
            return String(String.UnicodeScalarView(line.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 })) + "\n"
        }.joined()
    }

    var json: String {
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
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
