import AgentBuffer
import AgentDaemon
import LinuxDriver
import MQTTDriver
import Settings
import Telemetry
import YAMLDriver

/// `farwatch-agent status`: asks the running agent; without one, looks into its buffer.
enum StatusCommand {
    static func run(_ settings: AgentSettings, device: DeviceId, asJSON: Bool) -> Int32 {
        do throws(SystemError) {
            if let answer = try UnixSocket.ask(settings.statusSocket) {
                let json = String(decoding: answer, as: UTF8.self)
                return CommandOutput.show(shown(json, asJSON: asJSON) + (asJSON ? "" : advice(on: answer, settings)), ExitCode.ok)
            }
            // A folder that must not be searched looks as if nothing were in it.
            _ = try FileIdentity.of(settings.bufferPath)
        } catch {
            if error.isPermission { return forbidden(error.subject) }
            if error.isTimedOut { return silent(error.subject) }
        }
        do throws(BufferError) {
            return stopped(try BufferStatus.read(settings.bufferPath), settings, device: device, asJSON: asJSON)
        } catch {
            if error.reason == .access { return forbidden(settings.bufferPath) }
            Output.errorLine("farwatch-agent: " + error.description)
            return ExitCode.failure
        }
    }

    /// What to do next when the agent has nobody to deliver to: the state that the package is installed in.
    private static func advice(on json: [UInt8], _ settings: AgentSettings) -> String {
        guard let root = try? YAMLParser.parse(json), text("connected", of: root) == "false" else { return "" }
        let next =
            settings.broker.host == SettingsReader.brokerHostDefault
            ? "Set broker.host in " + AgentSettings.defaultFile + " and restart it: systemctl restart farwatch-agent. What is wrong otherwise, "
            : "What is wrong, "
        return "It samples and keeps, and delivers to nobody at present. " + next + "farwatch-agent doctor says.\n"
    }

    /// Whether the agent runs cannot be told then.
    private static func forbidden(_ path: String) -> Int32 {
        Output.errorLine("farwatch-agent: Permission denied: " + path + "\nAsk as root or as the agent's user: sudo farwatch-agent status")
        return ExitCode.noPermission
    }

    private static func silent(_ path: String) -> Int32 {
        Output.errorLine("farwatch-agent: " + path + " is listened on, but nobody answers: the agent stands still. systemctl restart farwatch-agent")
        return ExitCode.unavailable
    }

    private static func stopped(_ buffer: BufferStatus?, _ settings: AgentSettings, device: DeviceId, asJSON: Bool) -> Int32 {
        var text = shown(AgentStatus.stoppedJSON(device: device, buffer: buffer) + "\n", asJSON: asJSON)
        if !asJSON {
            text +=
                buffer == nil
                ? "No buffer at " + settings.bufferPath + " yet. Start the agent: farwatch-agent run\n"
                : "The agent does not run; what is in its buffer is kept.\n"
        }
        return CommandOutput.show(text, ExitCode.notRunning)
    }

    /// The JSON as it is, or its keys and values in two columns. JSON is YAML, so the parser at hand reads it.
    private static func shown(_ json: String, asJSON: Bool) -> String {
        guard !asJSON, let root = try? YAMLParser.parse(Array(json.utf8)) else { return json }
        return lines(root, prefix: "")
    }

    /// The value of a key at the top.
    static func text(_ key: String, of root: YAMLNode) -> String? {
        guard case .mapping(let pairs) = root.content else { return nil }
        for (name, _, value) in pairs where name == key { if case .scalar(let text) = value.content { return text } }
        return nil
    }

    private static func lines(_ node: YAMLNode, prefix: String) -> String {
        guard case .mapping(let pairs) = node.content else { return "" }
        var text = ""
        for (key, _, value) in pairs {
            let name = prefix + words(key)
            switch value.content {
            case .scalar(let scalar): text += name + String(repeating: " ", count: max(1, 32 - name.utf8.count)) + scalar + "\n"
            case .mapping: text += lines(value, prefix: name + " ")
            default: break
            }
        }
        return text
    }

    private static func words(_ key: String) -> String {
        var text = ""
        for scalar in key.unicodeScalars { text.unicodeScalars.append(scalar == "_" ? " " : scalar) }
        return text
    }
}
