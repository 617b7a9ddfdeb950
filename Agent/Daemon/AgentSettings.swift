import AgentBuffer
import AgentCertificates
import AgentSampling
import AgentSync
import CertificateInspection
import LinuxDriver
import MQTTDriver
import Settings
import Telemetry

/// The agent's configuration: `/etc/farwatch/agent.yaml`, each key overridable by `FARWATCH_…`.
package struct AgentSettings {
    package static let defaultFile = "/etc/farwatch/agent.yaml"
    package static let certificatePathsMax = 64
    package static let hourlyBudgetLeast: Int64 = 64 * 1024

    package var device: DeviceId?
    package var broker = MQTTOptions(host: "localhost", port: 1883, clientId: "")
    package var samplingInterval: Int64 = 10_000
    package var latencyTargets: [LatencyTarget] = []
    /// Between two probes of a target, which each cost it a connection.
    package var latencyInterval: Int64 = 10_000
    package var bufferPath = "/var/lib/farwatch/agent/buffer.sqlite"
    package var bufferLimits = BufferLimits()
    package var syncLimits = SyncLimits()
    package var certificatePaths: [String] = []
    package var certificateTrust = TrustSources()
    package var certificateProfiles = ProfilePaths()
    package var certificatePasswordFile: String?
    package var certificateInterval: Int64 = 3_600_000
    /// Whether known places are looked at too, and what programs' configuration names.
    package var certificatesAreDiscovered = false
    package var certificateEndpoints: [Endpoint] = []
    /// The file that this was read from, if it was named.
    package var file: String?
    package var logLevel = LogLevel.info
    package var statusSocket = "/run/farwatch/agent.sock"
    /// That settings name.
    package var passwordFiles: [String] = []

    /// Reads the file (the default one may be missing) and the environment. What is wrong is told in `problems`, and then nothing should run.
    package static func read(
        file: String?, environment: @escaping (String) -> String? = Environment.value
    ) -> (AgentSettings, problems: [SettingsProblem]) {
        var reader = SettingsReader(file: file ?? defaultFile, isRequired: file != nil, environment: environment)
        var (settings, problems) = read(&reader)
        settings.file = file
        return (settings, problems)
    }

    package static func read(_ reader: inout SettingsReader) -> (AgentSettings, problems: [SettingsProblem]) {
        var settings = AgentSettings()
        settings.readDevice(&reader)
        settings.broker = reader.broker()
        // What a device was given to enrol with is known to the broker under the device's own name.
        if settings.broker.password != nil, settings.broker.username == nil { settings.broker.username = settings.device?.text }
        settings.samplingInterval = reader.duration("sampling.interval", default: settings.samplingInterval, in: 100...3_600_000)
        settings.readLatency(&reader)
        settings.readBuffer(&reader)
        settings.readSync(&reader)
        settings.readCertificates(&reader)
        settings.logLevel = reader.logLevel()
        settings.statusSocket = reader.string("status.socket", default: settings.statusSocket)
        if settings.statusSocket.utf8.count > UnixSocket.pathBytesMax {
            reader.refuse("status.socket", "a socket's path has at most " + String(UnixSocket.pathBytesMax) + " bytes")
        }
        settings.passwordFiles = reader.passwordFiles
        return (settings, reader.finish())
    }

    private mutating func readDevice(_ reader: inout SettingsReader) {
        let text = reader.optionalString("device.id")
        if let text {
            device = DeviceId(text)
            if device == nil { reader.refuse("device.id", "expected 1 to 64 of A-Z a-z 0-9 . _ -, got \"" + text + "\"") }
        } else {
            device = DeviceFacts().proposedDeviceId
            if device == nil { reader.refuse("device.id", "the host name gives no device id; set one") }
        }
    }

    private mutating func readLatency(_ reader: inout SettingsReader) {
        latencyInterval = reader.duration("latency.interval", default: latencyInterval, in: 100...3_600_000)
        let broker = "tcp://" + (self.broker.host.utf8.contains(UInt8(ascii: ":")) ? "[" + self.broker.host + "]" : self.broker.host)
        let texts = reader.list("latency.targets", default: [broker + ":" + String(self.broker.port)])
        guard texts.count <= LatencyProbe.targetsMax else {
            return reader.refuse("latency.targets", "at most " + String(LatencyProbe.targetsMax) + " targets")
        }
        for text in texts {
            do throws(SamplingError) {
                latencyTargets.append(try LatencyTarget(text))
            } catch {
                reader.refuse("latency.targets", error.description)
            }
        }
    }

    private mutating func readBuffer(_ reader: inout SettingsReader) {
        bufferPath = reader.string("buffer.path", default: bufferPath)
        bufferLimits.bytesMax = reader.bytes("buffer.size", default: bufferLimits.bytesMax, in: BufferLimits.bytesMaxLeast...(1 << 40))
        bufferLimits.sealTicksMax = Int(reader.integer("buffer.seal_ticks", default: Int64(bufferLimits.sealTicksMax), in: 1...4096))
        bufferLimits.sealAgeMax = reader.duration("buffer.seal_age", default: bufferLimits.sealAgeMax, in: 100...86_400_000)
    }

    /// 0 stands for no bound. A budget smaller than the least is less than a batch now and then, and would deliver nothing.
    private mutating func readSync(_ reader: inout SettingsReader) {
        let rate = reader.bytes("sync.backlog_rate", default: 0, in: 0...(1 << 30))
        syncLimits.backlogBytesPerSecond = rate == 0 ? nil : rate
        let budget = reader.bytes("sync.hourly_budget", default: 0, in: 0...(1 << 40))
        if budget > 0, budget < Self.hourlyBudgetLeast {
            reader.refuse("sync.hourly_budget", "expected 0 for no budget, or at least 64KiB")
        }
        syncLimits.bytesPerHour = budget == 0 ? nil : budget
    }

    private mutating func readCertificates(_ reader: inout SettingsReader) {
        let own = [broker.tls?.certificate, broker.tls?.authorities].compactMap { $0 }
        certificatePaths = reader.list("certificates.paths", default: own)
        if certificatePaths.count > Self.certificatePathsMax {
            reader.refuse("certificates.paths", "at most " + String(Self.certificatePathsMax) + " paths")
        }
        for path in reader.list("certificates.trust") {
            if SmallFile.isDirectory(path) { certificateTrust.directories.append(path) } else { certificateTrust.files.append(path) }
        }
        certificatesAreDiscovered = reader.bool("certificates.discover", default: false)
        for text in reader.list("certificates.endpoints").prefix(EndpointInspection.endpointsMax + 1) {
            if let endpoint = Endpoint(text) { certificateEndpoints.append(endpoint) } else { reader.refuse("certificates.endpoints", text) }
        }
        if certificateEndpoints.count > EndpointInspection.endpointsMax {
            reader.refuse("certificates.endpoints", "at most " + String(EndpointInspection.endpointsMax) + " endpoints")
        }
        certificateTrust.revocationLists = reader.list("certificates.revocation_lists")
        certificatePasswordFile = reader.optionalString("certificates.password_file")
        certificateProfiles.web = reader.list("certificates.web_paths")
        if certificateProfiles.web.count > Self.certificatePathsMax {
            reader.refuse("certificates.web_paths", "at most " + String(Self.certificatePathsMax) + " paths")
        }
        certificateInterval = reader.duration("certificates.interval", default: certificateInterval, in: 1_000...604_800_000)
    }
}
