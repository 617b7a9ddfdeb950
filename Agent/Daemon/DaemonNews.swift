import AgentBuffer
import LinuxDriver
import MQTTDriver
import Telemetry

/// What the agent's log is told of its buffer, its link and its clock: each thing when it is news, and one that goes on now and then. Times are
/// milliseconds on the boot clock.
struct DaemonNews {
    /// Between two lines on the same trouble with the buffer.
    private static let complaintInterval: Int64 = 60_000
    /// Between two lines on a collector that does not answer.
    private static let unansweredInterval: Int64 = 3_600_000

    private let log: Log
    private let device: DeviceId
    private let broker: MQTTOptions
    /// Why there was no connection last; nil while there is one.
    private(set) var connectionFailure: String?
    private var complainedAt: Int64?
    private var damagedBatches = 0
    private var damageToldAt: Int64?
    private var unansweredToldAt: Int64?
    private var isAwaitingClock = false
    private var takeovers = 0
    private var likelyTakeovers = 0

    init(log: Log, device: DeviceId, broker: MQTTOptions) {
        self.log = log
        self.device = device
        self.broker = broker
    }

    // MARK: The buffer

    func opened(_ buffer: Buffer) {
        if let damage = buffer.damage {
            log(
                .error, "the buffer was damaged; it is kept aside and a new one begun with what could be read", ("kept", damage.kept),
                ("reason", damage.reason), ("batches", String(damage.salvagedBatches)), ("ticks", String(damage.salvagedTicks)))
        }
        if let reason = buffer.memoryReason {
            log(.error, "the buffer is in memory: what is not delivered is lost when the agent ends", ("reason", reason))
        }
    }

    func ended(_ buffer: Buffer) {
        let status = try? buffer.status()
        let (batches, ticks) = (status?.batches ?? 0, status?.unsealedTicks ?? 0)
        log(.info, "stopped", ("unacknowledged", String(batches)))
        guard buffer.memoryReason != nil, batches + ticks > 0 else { return }
        log(
            .error, "the buffer was in memory: what is not acknowledged is lost", ("batches", String(batches)), ("unsealed_ticks", String(ticks)))
    }

    /// Rows of the buffer that turned out to be damaged go one by one; a disk that begins to fail is to be seen in the log, too.
    /// `batches` is how many there were since the start.
    mutating func damaged(batches: Int, now: Int64) {
        guard batches > damagedBatches, damageToldAt.map({ now - $0 >= Self.complaintInterval }) ?? true else { return }
        log(.error, "batches in the buffer were damaged and are dropped, with a receipt", ("batches", String(batches - damagedBatches)))
        damagedBatches = batches
        damageToldAt = now
    }

    mutating func complain(_ message: StaticString, _ detail: String, now: Int64) {
        if let complainedAt, now - complainedAt < Self.complaintInterval { return }
        complainedAt = now
        log(.error, message, ("error", detail))
    }

    // MARK: The clock

    mutating func clock(isSet: Bool) {
        guard isSet == isAwaitingClock else { return }
        isAwaitingClock.toggle()
        if isAwaitingClock {
            log(.warning, "the clock is not set; until it is, samples are kept, but nothing new is sealed or sent")
        } else {
            log(.notice, "the clock is set; samples are sealed and sent")
        }
    }

    // MARK: The connection

    mutating func connected() {
        connectionFailure = nil
        log(.info, "connected", ("broker", broker.host), ("port", String(broker.port)))
    }

    /// Said once for each reason; the tries that follow are seen at the debug level.
    mutating func disconnected(_ reason: String, retryIn: Int64) {
        let isNews = connectionFailure != reason
        connectionFailure = reason
        log(
            isNews ? .warning : .debug, "not connected to the broker; samples wait in the buffer", ("broker", broker.host),
            ("port", String(broker.port)), ("reason", reason), ("retry_ms", String(retryIn)))
    }

    mutating func unanswered(now: Int64) {
        if let unansweredToldAt, now - unansweredToldAt < Self.unansweredInterval { return }
        unansweredToldAt = now
        log(
            .warning, "the broker takes batches, but no collector acknowledges them; does one run on this broker?", ("broker", broker.host),
            ("port", String(broker.port)))
    }

    /// One may be a device's twin being switched off; more are two devices of one name, which drive each other out. Counts since the start.
    mutating func takenOver(surely: Int, likely: Int) {
        defer { (takeovers, likelyTakeovers) = (surely, likely) }
        if surely > takeovers {
            log(
                .error, "another agent connects with this device's id; give each device an id of its own (device.id)", ("device", device.text),
                ("times", String(surely)))
        } else if likely > likelyTakeovers {
            log(
                .error,
                "the broker closes each connection soon: probably another agent connects with this device's id; give each its own (device.id)",
                ("device", device.text), ("times", String(likely)))
        }
    }
}
