import LinuxDriver
import Logging
import ServiceSupport
import Synchronization
import Telemetry

/// Drives `PaceControl`: gathers what it decides by, keeps the devices whose messages were dropped, and says when the pace begins and ends.
final class Pacing: Sendable {
    /// Devices remembered that have to be told of a dropped message.
    private static let droppedMax = 10_000

    private struct State {
        var control = PaceControl()
        var active = ActiveDevices()
        var dropped: [DeviceId: StreamId] = [:]
        var limiter = NoticeLimiter()
    }

    private let state = Mutex(State())
    private let clock: Clock
    private let logger: Logger

    init(registry: MetricsRegistry, clock: Clock, logger: Logger) {
        self.clock = clock
        self.logger = logger
        registry.gauge(
            "farwatch_ingest_pace_bytes_per_second", "What each device is asked to keep its backlog to; absent while none is asked."
        ) { [weak self] in self?.pace.map { Double($0) } }
    }

    /// What acknowledgements ask of their devices now.
    var pace: Int? { state.withLock { $0.control.pace(at: clock.boot()) } }

    /// A message found no room: its device is told to slow down, and sends it again.
    func dropped(topic: String, bytes: [UInt8]) {
        guard let (device, leaf) = Topic.parse(topic), leaf == "up", let stream = Self.stream(of: bytes) else { return }
        state.withLock { state in
            if state.dropped.count < Self.droppedMax { state.dropped[device] = stream }
        }
    }

    /// Where a batch has its stream; nothing else is looked at, and nothing but a pace is told to it.
    private static func stream(of bytes: [UInt8]) -> StreamId? {
        let lengthIndex = 6
        guard bytes.count > lengthIndex else { return nil }
        let start = lengthIndex + 1 + Int(bytes[lengthIndex])
        guard bytes.count >= start + 8 else { return nil }
        let stream = (0..<8).reduce(StreamId(0)) { $0 | StreamId(bytes[start + $1]) << (8 * $1) }
        return stream == Acknowledgement.unreadableStream ? nil : stream
    }

    func observe(group: IngestGroup, isDown: Bool, oldestAge: Int64, fill: Double, commitMilliseconds: Int64) {
        let now = clock.boot()
        let (before, after) = state.withLock { state in
            state.active.note(group.devices, at: now)
            var reading = PaceControl.Reading(now: now)
            reading.oldestAge = oldestAge
            reading.fill = fill
            reading.bytesCommitted = isDown ? 0 : group.bytes
            reading.commitMilliseconds = commitMilliseconds
            reading.isStoreDown = isDown
            reading.devices = state.active.count
            let before = state.control.pace
            state.control.observe(reading)
            return (before, state.control.pace)
        }
        if before == nil, let after {
            logger.notice("devices are asked to send slower", metadata: ["bytes_per_second": "\(after)", "oldest_milliseconds": "\(oldestAge)"])
        } else if before != nil, after == nil {
            logger.notice("devices may send as fast as they like again")
        }
    }

    /// What the devices whose messages were dropped are told; each at most once a second.
    func notices() -> [(device: DeviceId, acknowledgement: Acknowledgement)] {
        let now = clock.boot()
        return state.withLock { state in
            guard !state.dropped.isEmpty, let pace = state.control.pace else { return [] }
            let told = state.dropped.filter { state.limiter.mayTell($0.key, at: now) }
            for device in told.keys { state.dropped[device] = nil }
            return told.map { ($0.key, Acknowledgement(stream: $0.value, pace: pace, runs: [])) }
        }
    }
}
