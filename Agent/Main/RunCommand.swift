import AgentBuffer
import AgentDaemon
import LinuxDriver
import Settings
import Telemetry

/// `farwatch-agent run`.
enum RunCommand {
    static func run(_ settings: AgentSettings, device: DeviceId) -> Int32 {
        do throws(AgentError) {
            try AgentDaemon(settings, device: device).run()
            return ExitCode.ok
        } catch {
            Output.errorLine("farwatch-agent: " + error.description)
            if case .buffer(let reason) = error, reason.reason == .access {
                Output.errorLine("Set buffer.path to a file in a directory that this user can write, or change the directory's owner.")
            }
            return error.exitCode
        }
    }
}
