import LinuxDriver
import Telemetry

/// What `check-config` says of a configuration, the same for every program.
package enum SettingsReport {
    /// Prints the problems, or that there are none, and gives the exit code.
    package static func show(_ problems: [SettingsProblem], file: String, asJSON: Bool) -> Int32 {
        if asJSON {
            Output.line(json(problems, file: file))
        } else if problems.isEmpty {
            Output.line(SmallFile.exists(file) ? file + ": ok" : file + " does not exist; defaults and the environment are ok")
        } else {
            for problem in problems { Output.errorLine(problem.description) }
        }
        return problems.isEmpty ? ExitCode.ok : ExitCode.configuration
    }

    private static func json(_ problems: [SettingsProblem], file: String) -> String {
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
        return writer.text
    }
}
