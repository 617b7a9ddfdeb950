import ArgumentParser
import LinuxDriver
import Settings
import Telemetry

/// `farwatch-collector check-config`.
struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check the configuration and say what is wrong and where.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "Print the result as JSON.") var json = false

    func run() throws {
        let file = common.config ?? CollectorSettings.defaultFile
        let (_, problems) = CollectorSettings.read(file: common.config)
        if json {
            var writer = JSONWriter()
            writer.object { json in
                json.string("file", file)
                json.bool("ok", problems.isEmpty)
                json.array("problems") { json in
                    for problem in problems {
                        json.object { json in
                            json.string("place", problem.place)
                            json.string("key", problem.key)
                            json.string("reason", problem.reason)
                        }
                    }
                }
            }
            Output.line(writer.text)
        } else if problems.isEmpty {
            Output.line(SmallFile.exists(file) ? file + ": ok" : file + " does not exist; defaults and the environment are ok")
        } else {
            for problem in problems { Output.errorLine(problem.description) }
        }
        if !problems.isEmpty { throw ArgumentParser.ExitCode(Settings.ExitCode.configuration) }
    }
}
