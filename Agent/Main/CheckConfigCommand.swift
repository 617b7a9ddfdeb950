import LinuxDriver
import Settings
import Telemetry

/// `farwatch-agent check-config`.
enum CheckConfigCommand {
    static func run(file: String, problems: [SettingsProblem], asJSON: Bool) -> Int32 {
        if asJSON {
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
        return problems.isEmpty ? ExitCode.ok : ExitCode.configuration
    }
}
