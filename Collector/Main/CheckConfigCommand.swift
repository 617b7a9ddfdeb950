import ArgumentParser
import Settings

/// `farwatch-collector check-config`.
struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check the configuration and say what is wrong and where.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "Print the result as JSON.") var json = false

    func run() throws {
        let (_, problems) = CollectorSettings.read(file: common.config)
        let code = SettingsReport.show(problems, file: common.config ?? CollectorSettings.defaultFile, asJSON: json)
        if code != Settings.ExitCode.ok { throw ArgumentParser.ExitCode(code) }
    }
}
