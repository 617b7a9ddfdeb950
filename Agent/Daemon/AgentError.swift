import AgentBuffer
import AgentSampling
import LinuxDriver
import Settings

/// Why the agent cannot run.
package enum AgentError: Error, CustomStringConvertible {
    case buffer(BufferError)
    case sampling(SamplingError)
    case system(SystemError)

    package var description: String {
        switch self {
        case .buffer(let error): error.description
        case .sampling(let error): error.description
        case .system(let error): error.description
        }
    }

    package var exitCode: Int32 {
        switch self {
        case .buffer(let error): error.reason == .access || error.reason == .full ? ExitCode.cannotCreate : ExitCode.failure
        case .sampling: ExitCode.configuration
        case .system: ExitCode.failure
        }
    }
}
