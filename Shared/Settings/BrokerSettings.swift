import LinuxDriver
import MQTTDriver

extension SettingsReader {
    /// Where a broker is looked for until one is named.
    package static var brokerHostDefault: String { "localhost" }

    /// The keys under `broker`, the same for every program that speaks to one.
    package mutating func broker() -> MQTTOptions {
        var broker = MQTTOptions(host: host("broker.host", default: Self.brokerHostDefault), port: 0, clientId: "")
        let certificate = optionalString("broker.certificate_file")
        let key = optionalString("broker.key_file")
        let authorities = optionalString("broker.ca_file")
        let usesTLS = bool("broker.tls", default: certificate != nil || authorities != nil)
        // The ports that IANA registered for MQTT with and without TLS.
        broker.port = UInt16(integer("broker.port", default: usesTLS ? 8883 : 1883, in: 1...65_535))
        broker.username = optionalString("broker.username")
        if let file = optionalString("broker.password_file") { broker.password = password(in: file, of: "broker.password_file") }
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

    /// A name or an address, an IPv6 one without brackets, which has two colons at least. RFC 1035, section 2.3.4: "255 octets or less".
    private mutating func host(_ key: String, default fallback: String) -> String {
        value(key, default: fallback, expected: "a host name or an address (the port is broker.port)") { text in
            let isValid =
                (1...255).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-") && text.utf8.allSatisfy(Self.isOfHost)
                && text.utf8.count { $0 == UInt8(ascii: ":") } != 1
            return isValid ? text : nil
        }
    }

    /// Letters, digits and what names and addresses have between them; `%` stands before an IPv6 zone.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "%"): true
        default: false
        }
    }

    /// `log.level`.
    package mutating func logLevel() -> LogLevel {
        value("log.level", default: .info, expected: "one of error, warning, notice, info, debug") { text in
            [LogLevel.error, .warning, .notice, .info, .debug].first { $0.name == text }
        }
    }
}
