import LinuxDriver
import Telemetry

/// `network_latency` and `network_probe_success` of the configured targets: measures on the event loop, without waiting.
///
/// `start` begins a probe of every target that has none under way, `collect` hands over what has come since.
package final class LatencyProbe {
    package static let targetsMax = 16
    /// After this time without an answer, in milliseconds, a probe has failed.
    package static let answerTimeMax: Int64 = 5_000
    /// A name is looked up at most this often, in milliseconds: the look-up waits, and with it the whole agent.
    package static let resolutionInterval: Int64 = 300_000

    /// Looks a name up; `SocketAddress.init(resolving:port:)` outside of tests.
    package typealias Resolve = (_ host: String, _ port: UInt16) -> SocketAddress?

    private let loop: EventLoop
    private let resolve: Resolve
    private let onRefusal: (LatencyTarget) -> Void
    private let tracks: [LatencyTrack]
    private var hasRefused = false
    private var sequence: UInt16 = 0
    /// Whose turn it is to be looked up, so that one name that takes long does not keep the others waiting for ever.
    private var nextToResolve = 0

    /// `onRefusal` is called once, with the first target that the kernel does not let us measure.
    package init(
        targets: [LatencyTarget], loop: EventLoop, resolve: @escaping Resolve = { SocketAddress(resolving: $0, port: $1) },
        onRefusal: @escaping (LatencyTarget) -> Void
    ) throws(SamplingError) {
        guard targets.count <= Self.targetsMax else { throw SamplingError(.tooManyTargets, "measure latency", String(targets.count)) }
        self.loop = loop
        self.resolve = resolve
        self.onRefusal = onRefusal
        tracks = targets.map { LatencyTrack($0) }
    }

    /// Begins the probes that are not under way. `now` is the boot clock's, in milliseconds.
    package func start(_ now: Int64) {
        resolveOne(now)
        for track in tracks where !track.isUnderWay { begin(track) }
    }

    /// Appends what was measured since the last call.
    package func collect(into readings: inout [Reading]) {
        for track in tracks { track.collect(into: &readings) }
    }

    /// Ends the probes under way; nothing is told of them.
    package func stop() {
        for track in tracks { end(track) }
    }

    // MARK: Names

    /// Looks up at most one name a call: with a dead name server each look-up takes its whole time.
    private func resolveOne(_ now: Int64) {
        for offset in 0..<tracks.count {
            let index = (nextToResolve + offset) % tracks.count
            let track = tracks[index]
            guard track.isResolutionDue(now) else { continue }
            nextToResolve = index + 1
            track.resolved(resolve(track.target.host, track.port), at: now)
            return
        }
    }

    // MARK: One probe

    private func begin(_ track: LatencyTrack) {
        guard let address = track.address else {
            if track.hasBeenResolved { track.finish(nil) }
            return
        }
        do throws(ProbeSocket.Failure) {
            let startedAt = Clock.monotonicNanoseconds()
            let socket = try open(track, address)
            try watch(track, socket, startedAt)
        } catch {
            switch error {
            case .refused: refuse(track)
            case .unreachable: track.finish(nil)
            }
        }
    }

    private func open(_ track: LatencyTrack, _ address: SocketAddress) throws(ProbeSocket.Failure) -> ProbeSocket {
        switch track.target.method {
        case .tcp: return try ProbeSocket.tcp(address)
        case .icmp:
            sequence &+= 1
            return try ProbeSocket.icmp(address, sequence: sequence)
        }
    }

    private func watch(_ track: LatencyTrack, _ socket: ProbeSocket, _ startedAt: Int64) throws(ProbeSocket.Failure) {
        let readiness: EventLoop.Readiness = track.target.method == .icmp ? .readable : .writable
        do throws(SystemError) {
            try loop.watch(socket.fd, readiness) { _ in self.advance(track, socket, startedAt) }
        } catch { throw .unreachable }
        let timer = loop.after(Self.answerTimeMax) {
            self.end(track)
            track.finish(nil)
        }
        track.underWay = LatencyTrack.UnderWay(socket: socket, timer: timer)
    }

    private func advance(_ track: LatencyTrack, _ socket: ProbeSocket, _ startedAt: Int64) {
        let now = Clock.monotonicNanoseconds()
        switch socket.progress() {
        case .pending: return
        case .answered: track.finish(now - startedAt)
        case .failed: track.finish(nil)
        }
        end(track)
    }

    private func end(_ track: LatencyTrack) {
        guard let probe = track.underWay else { return }
        loop.cancel(probe.timer)
        loop.unwatch(probe.socket.fd)
        track.underWay = nil
    }

    /// What the kernel does not let us measure tells nothing of the network.
    private func refuse(_ track: LatencyTrack) {
        guard !hasRefused else { return }
        hasRefused = true
        onRefusal(track.target)
    }
}
