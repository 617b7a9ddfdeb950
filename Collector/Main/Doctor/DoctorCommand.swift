import ArgumentParser
import LinuxDriver
import Settings

/// `farwatch-collector doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at the configuration, the broker and the stores, and say what to do.",
        discussion: "Changes nothing; a collector may be running meanwhile. Exit codes: 0 ok, 69 something does not work, 78 wrong configuration.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "Print the result as JSON.") var json = false

    func run() async throws {
        Signals.ignorePipe()
        let file = common.config ?? CollectorSettings.defaultFile
        let (settings, problems) = CollectorSettings.read(file: common.config)
        var findings = problems.map {
            DoctorFinding(state: .wrong, subject: "configuration", detail: $0.description, remedy: nil)
        }
        if problems.isEmpty {
            findings = [.ok("configuration", SmallFile.exists(file) ? file : "defaults and the environment; there is no " + file)]
            findings += await Doctor.findings(settings)
        }
        let report = DoctorReport(findings)
        let code = CommandOutput.show(json ? report.json : report.text, report.exitCode)
        if code != Settings.ExitCode.ok { throw ArgumentParser.ExitCode(code) }
    }
}
