import LinuxDriver
import MQTTDriver

extension SettingsReader {
    /// The keys under `broker`, the same for every program that speaks to one.
    package mutating func broker() -> MQTTOptions {
        var broker = MQTTOptions(host: string("broker.host", default: "localhost"), port: 0, clientId: "")
        let certificate = optionalString("broker.certificate_file")
        let key = optionalString("broker.key_file")
        let authorities = optionalString("broker.ca_file")
        let usesTLS = bool("broker.tls", default: certificate != nil || authorities != nil)
        // The ports that IANA registered for MQTT with and without TLS.
        broker.port = UInt16(integer("broker.port", default: usesTLS ? 8883 : 1883, in: 1...65_535))
        broker.username = optionalString("broker.username")
        if let file = optionalString("broker.password_file") {
            if let bytes = try? SmallFile.read(file, limit: 4096) {
                broker.password = String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
            } else {
                refuse("broker.password_file", "cannot read " + file)
            }
        }
        if usesTLS { broker.tls = MQTTOptions.TLS(authorities: authorities, certificate: certificate, key: key) }
        if (certificate == nil) != (key == nil) {
            refuse("broker.certificate_file", "broker.certificate_file and broker.key_file go together")
        }
        for (name, file) in [("broker.certificate_file", certificate), ("broker.key_file", key), ("broker.ca_file", authorities)] {
            guard let file else { continue }
            if !SmallFile.exists(file) { refuse(name, "there is no file " + file) }
            if SmallFile.isDirectory(file) { refuse(name, "expected a file, " + file + " is a directory") }
        }
        return broker
    }

    /// `log.level`.
    package mutating func logLevel() -> LogLevel {
        value("log.level", default: .info, expected: "one of error, warning, notice, info, debug") { text in
            [LogLevel.error, .warning, .notice, .info, .debug].first { $0.name == text }
        }
    }
}
