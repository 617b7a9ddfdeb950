import Foundation
import LinuxDriver
import MQTTDriver

/// Whether the broker takes a connection. Nothing is subscribed to: what devices send must go to a collector.
struct BrokerCheck: DoctorCheck {
    /// For connecting and TLS.
    private static let waitMilliseconds: Int64 = 5_000
    private static let subject = "broker"

    let options: MQTTOptions

    func findings() async -> [DoctorFinding] {
        let options = options
        let failure: String? = await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: Self.failure(options)) }
            thread.name = "broker"
            thread.start()
        }
        let place = "\(options.host):\(options.port)" + (options.tls == nil ? "" : " by TLS")
        guard let failure else { return [.ok(Self.subject, place + " takes the connection")] }
        let remedy = "start it, or check broker.host, broker.port, its TLS files and its password"
        return [.problem(Self.subject, "\(place) cannot be had (\(failure))", remedy)]
    }

    /// Why it cannot be had; nil when it can. On a thread that may block.
    private static func failure(_ options: MQTTOptions) -> String? {
        var options = options
        options.clientId = "farwatch-doctor-" + String(Random.uint64(), radix: 36)
        do throws(SystemError) {
            let loop = try EventLoop()
            let connection = MQTTConnection(options, on: loop)
            var failure: String? = "no answer within \(waitMilliseconds / 1_000) seconds"
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
