import LinuxDriver
import Telemetry

/// What `check-config` says of a configuration, the same for every program.
package enum SettingsReport {
    /// Prints the problems, or that there are none, and gives the exit code.
    package static func show(_ problems: [SettingsProblem], file: String, asJSON: Bool) -> Int32 {
        let code = problems.isEmpty ? ExitCode.ok : ExitCode.configuration
        if asJSON { return CommandOutput.show(json(problems, file: file) + "\n", code) }
        if problems.isEmpty {
            return CommandOutput.show(file + (SmallFile.exists(file) ? ": ok\n" : " does not exist; defaults and the environment are ok\n"), code)
        }
        for problem in problems { Output.errorLine(problem.description) }
        return code
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
