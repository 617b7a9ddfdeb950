/// Where a broker is and who we are to it.
package struct MQTTOptions: Sendable {
    /// Certificates for a TLS connection; all paths are PEM files.
    package struct TLS: Sendable {
        /// Trust anchors: a file, or the system's hashed directory when it is nil.
        package var authorities: String?
        package var certificate: String?
        package var key: String?

        package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
        }
    }

    /// What the broker says for us when we vanish.
    package struct Will: Sendable {
        package var topic: String
        package var payload: [UInt8]
        package var isRetained: Bool

        package init(topic: String, payload: [UInt8], isRetained: Bool) {
            self.topic = topic
            self.payload = payload
            self.isRetained = isRetained
        }
    }

    package var host: String
    package var port: UInt16
    package var clientId: String
    package var username: String?
    package var password: String?
    package var tls: TLS?
    package var will: Will?
    /// QoS 1 messages on their way at once, each direction (MQTT 5, section 3.1.2.11.3).
    package var inFlightMax: UInt16 = 64
    /// Seconds of silence after which a ping goes out.
    package var keepAlive: Int32 = 30

    package init(host: String, port: UInt16, clientId: String) {
        self.host = host
        self.port = port
        self.clientId = clientId
    }
}

/// What libmosquitto refused: its error code and words, and what was being done.
package struct MQTTError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `MOSQ_ERR_…`.
    package let code: Int32
    package let operation: String
    package let detail: String

    package var description: String { "MQTT cannot " + operation + ": " + detail }
}
