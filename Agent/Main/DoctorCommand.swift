import AgentBuffer
import AgentCertificates
import AgentDaemon
import CertificateInspection
import LinuxDriver
import MQTTDriver
import Settings
import Telemetry
import YAMLDriver

/// `farwatch-agent doctor`: what the agent needs, looked at without changing it; a line each, with what to do. The agent may run meanwhile.
enum DoctorCommand {
    static func run(_ settings: AgentSettings, _ problems: [SettingsProblem], _ options: CommandLineArguments.Options) -> Int32 {
        var findings: [DoctorFinding] = []
        for problem in problems { findings.append(DoctorFinding(state: .wrong, subject: "configuration", detail: problem.description, remedy: nil)) }
        if problems.isEmpty {
            let file = options.config ?? AgentSettings.defaultFile
            findings.append(.ok("configuration", SmallFile.exists(file) ? file : "defaults and the environment; there is no " + file))
            findings.append(running(settings))
            findings += [MachineChecks.version("farwatch-agent"), MachineChecks.clock(), MachineChecks.secrets(settings.broker)]
            findings += settings.passwordFiles.compactMap(MachineChecks.passwordFile)
            findings += [BrokerTrial.finding(settings.broker), MachineChecks.encryption(settings.broker)]
            if let finding = certificate(settings) { findings.append(finding) }
            findings += [buffer(settings), disk(settings)]
        }
        let report = DoctorReport(findings)
        return CommandOutput.show(options.json ? report.json : report.text, report.exitCode)
    }

    /// What the running agent says of itself, as far as something is to be done about it.
    private static func running(_ settings: AgentSettings) -> DoctorFinding {
        let subject = "agent"
        do throws(SystemError) {
            guard let answer = try UnixSocket.ask(settings.statusSocket), let root = try? YAMLParser.parse(answer) else {
                return .problem(subject, "it does not run", "systemctl enable --now farwatch-agent; systemctl status farwatch-agent says why not")
            }
            let version = StatusCommand.text("version", of: root) ?? "unknown"
            if version != FarwatchVersion.text {
                return .advice(subject, "version " + version + " runs, " + FarwatchVersion.text + " is installed", "systemctl restart farwatch-agent")
            }
            for key in ["not_connected_because", "not_acknowledged_because", "not_sealed_because", "in_memory_because"] {
                guard let reason = StatusCommand.text(key, of: root) else { continue }
                return .problem(subject, "it runs, but: " + reason, "see the lines below, and the collector's doctor")
            }
            return .ok(subject, "it runs since " + (StatusCommand.text("started_at", of: root) ?? "?"))
        } catch {
            guard !error.isTimedOut else { return .problem(subject, "it stands still: it does not answer", "systemctl restart farwatch-agent") }
            return .advice(subject, error.description, "ask as root: sudo farwatch-agent doctor")
        }
    }

    /// The certificate that is shown to the broker, and those that it is trusted by.
    private static func certificate(_ settings: AgentSettings) -> DoctorFinding? {
        guard let tls = settings.broker.tls else { return nil }
        let paths = [tls.certificate, tls.authorities].compactMap { $0 }
        let now = Clock.system.wall()
        var scanner = CertificateScanner(
            paths: paths, trust: settings.certificateTrust, at: now, clockIsTrustworthy: now >= Clock.plausibleWallMin)
        scanner.run()
        if let problem = scanner.problems.first { return .problem("certificates", problem.path + ": " + problem.text, "farwatch-agent certs") }
        guard let first = scanner.records.min(by: { ($0.notAfter ?? .max) < ($1.notAfter ?? .max) }), let end = first.notAfter else { return nil }
        let detail = first.path + (end < now ? " ended on " : " ends on ") + Timestamp.text(end)
        if end < now { return .problem("certificates", detail, "replace it, then systemctl restart farwatch-agent") }
        return .ok("certificates", detail)
    }

    private static func buffer(_ settings: AgentSettings) -> DoctorFinding {
        let path = settings.bufferPath
        do throws(BufferError) {
            guard let status = try BufferStatus.read(path) else {
                // A folder that must not be searched looks as if nothing were in it.
                do throws(SystemError) { _ = try FileIdentity.of(path) } catch {
                    if error.isPermission { return .advice("buffer", error.description, "ask as root: sudo farwatch-agent doctor") }
                }
                return .ok("buffer", path + " is not there yet; run makes it")
            }
            let bytes = String(status.usedBytes) + " of " + String(settings.bufferLimits.bytesMax) + " bytes"
            let text = String(status.samples) + " samples wait, in " + bytes
            if status.isLogDamaged { return .advice("buffer", "its log is damaged; " + text, "the agent sets it right when it starts") }
            return .ok("buffer", text)
        } catch {
            if error.reason == .access { return .advice("buffer", error.description, "ask as root: sudo farwatch-agent doctor") }
            return .problem("buffer", error.description, "farwatch-agent buffer verify; a damaged one is set aside and salvaged at the start")
        }
    }

    /// Whether the buffer can grow to its size.
    private static func disk(_ settings: AgentSettings) -> DoctorFinding {
        var folder = Array(settings.bufferPath.utf8)
        while let last = folder.last, last != UInt8(ascii: "/") { folder.removeLast() }
        guard let space = FileSystemSpace.ofDirectory(folder.isEmpty ? [UInt8(ascii: ".")] : folder) else {
            return .ok("disk", "the buffer's directory is not there yet")
        }
        let used = (try? BufferStatus.read(settings.bufferPath))?.fileBytes ?? 0
        let wanted = Double(settings.bufferLimits.bytesMax - used)
        let detail = String(Int64(space.available)) + " bytes are free"
        if space.available >= wanted { return .ok("disk", detail) }
        return .advice("disk", detail + ", the buffer may want " + String(Int64(wanted)) + " more", "make room, or make buffer.size smaller")
    }
}
