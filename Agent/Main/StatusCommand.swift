import AgentBuffer
import AgentDaemon
import LinuxDriver
import Settings
import Telemetry
import YAMLDriver

/// `farwatch-agent status`: asks the running agent; without one, looks into its buffer.
enum StatusCommand {
    static func run(_ settings: AgentSettings, device: DeviceId, asJSON: Bool) -> Int32 {
        if let answer = UnixSocket.ask(settings.statusSocket) {
            show(String(decoding: answer, as: UTF8.self), asJSON: asJSON)
            return ExitCode.ok
        }
        do throws(BufferError) {
            let buffer = try BufferStatus.read(settings.bufferPath)
            show(AgentStatus.stoppedJSON(device: device, buffer: buffer) + "\n", asJSON: asJSON)
            if !asJSON {
                Output.line(
                    buffer == nil
                        ? "No buffer at " + settings.bufferPath + " yet. Start the agent: farwatch-agent run"
                        : "The agent does not run; what is in its buffer is kept.")
            }
            return ExitCode.notRunning
        } catch {
            Output.errorLine("farwatch-agent: " + error.description)
            return ExitCode.failure
        }
    }

    /// The JSON as it is, or its keys and values in two columns. JSON is YAML, so the parser at hand reads it.
    private static func show(_ json: String, asJSON: Bool) {
        guard !asJSON, let root = try? YAMLParser.parse(Array(json.utf8)) else { return Output.write(json, to: 1) }
        print(root, prefix: "")
    }

    private static func print(_ node: YAMLNode, prefix: String) {
        guard case .mapping(let pairs) = node.content else { return }
        for (key, _, value) in pairs {
            let name = prefix + words(key)
            switch value.content {
            case .scalar(let text): Output.line(name + String(repeating: " ", count: max(1, 32 - name.utf8.count)) + text)
            case .mapping: print(value, prefix: name + " ")
            default: break
            }
        }
    }

    private static func words(_ key: String) -> String {
        var text = ""
        for scalar in key.unicodeScalars { text.unicodeScalars.append(scalar == "_" ? " " : scalar) }
        return text
    }
}
