import LinuxDriver
import MQTTDriver

/// Whether a broker takes a connection. Nothing is subscribed to and nothing is sent: what devices send must go to a collector.
package enum BrokerTrial {
    /// For connecting and TLS: what is at the addresses of IPv6 may be silent, and those of IPv4 come after it.
    private static let waitMilliseconds = MQTTConnection.connectTimeout + 5_000
    private static let subject = "broker"

    /// Blocks while it waits.
    package static func finding(_ options: MQTTOptions) -> DoctorFinding {
        let place = options.host + ":" + String(options.port) + (options.tls == nil ? "" : " by TLS")
        guard let failure = failure(options) else { return .ok(subject, place + " takes the connection") }
        let remedy = "start it, or check broker.host, broker.port, its TLS files and its password"
        return .problem(subject, place + " cannot be had (" + failure + ")", remedy)
    }

    /// Why it cannot be had; nil when it can.
    private static func failure(_ options: MQTTOptions) -> String? {
        var options = options
        // A device's own name would end the session of the agent that runs.
        options.clientId = "farwatch-doctor-" + String(Random.uint64(), radix: 36)
        do throws(SystemError) {
            let loop = try EventLoop()
            let connection = MQTTConnection(options, on: loop)
            var failure: String? = "no answer within " + String(waitMilliseconds / 1_000) + " seconds"
            _ = loop.after(waitMilliseconds) { loop.stop() }
            connection.start { event in
                switch event {
                case .connected: failure = nil
                case .disconnected(let reason, _): failure = reason
                case .message, .subscriptionRefused: return
                }
                loop.stop()
            }
            defer { connection.stop() }
            try loop.run()
            return failure
        } catch { return error.description }
    }
}
