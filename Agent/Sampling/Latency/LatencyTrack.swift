import LinuxDriver
import Telemetry

/// One target on its way: its address, its probe, and what was found and not yet handed over.
final class LatencyTrack {
    struct UnderWay {
        let socket: ProbeSocket
        let timer: EventLoop.TimerId
    }

    let target: LatencyTarget
    let port: UInt16
    private(set) var address: SocketAddress?
    var underWay: UnderWay?

    private let latency: Series
    private let success: Series
    private let isNumeric: Bool
    /// When the name was looked up last, in milliseconds of the boot clock.
    private var resolvedAt: Int64?
    /// Nanoseconds of the newest answer.
    private var answer: Int64?
    private var hasSucceeded: Bool?

    init(_ target: LatencyTarget) {
        self.target = target
        if case .tcp(let port) = target.method { self.port = port } else { port = 0 }
        let labels = [Label("target", target.text)]
        latency = Series("network_latency", labels)
        success = Series("network_probe_success", labels)
        address = SocketAddress(numeric: target.host, port: port)
        isNumeric = address != nil
    }

    var isUnderWay: Bool { underWay != nil }

    // MARK: The address

    var hasBeenResolved: Bool { isNumeric || resolvedAt != nil }

    func isResolutionDue(_ now: Int64) -> Bool {
        guard !isNumeric else { return false }
        guard let resolvedAt else { return true }
        return now - resolvedAt >= LatencyProbe.resolutionInterval
    }

    /// Takes what a look-up gave; after one that failed, the address known before still serves.
    func resolved(_ found: SocketAddress?, at now: Int64) {
        resolvedAt = now
        if let found { address = found }
    }

    // MARK: The outcome

    /// Notes how a probe ended: nanoseconds to the answer, or none.
    func finish(_ nanoseconds: Int64?) {
        if let nanoseconds { answer = nanoseconds }
        hasSucceeded = nanoseconds != nil
    }

    /// Appends what is new: the latency in seconds rounded to microseconds, and whether the newest probe succeeded.
    func collect(into readings: inout [Reading]) {
        if let answer { readings.append(Reading(latency, Double((answer + 500) / 1000) / 1_000_000)) }
        if let hasSucceeded { readings.append(Reading(success, hasSucceeded ? 1 : 0)) }
        answer = nil
        hasSucceeded = nil
    }
}
