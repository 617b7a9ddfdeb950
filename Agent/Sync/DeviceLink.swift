import AgentBuffer
import LinuxDriver
import MQTTDriver
import Telemetry

/// One device's way to the collector: its connection, and the sending of what its buffer holds. The thin driver of `SyncState`.
package final class DeviceLink {
    /// What the owner may want to log or count.
    package enum Report {
        case connected
        case disconnected(reason: String, retryIn: Int64)
        case refused(Acknowledgement.Run, reason: String)
        case unreadable(reason: String)
        case acknowledged(batches: UInt64)
        case drained
        case failed(String)
        /// The buffer's file turned out to be damaged.
        case damaged(String)
    }

    /// Between two looks at overdue batches, in milliseconds, so that a buffer that cannot be read does not keep the loop busy.
    private static let wakeUpMin: Int64 = 100

    package let buffer: Buffer
    package private(set) var isConnected = false
    /// Batches acknowledged, and sent, since the start; re-sent ones count again in `batchesSent`.
    package private(set) var batchesAcknowledged: UInt64 = 0
    package private(set) var batchesSent: UInt64 = 0
    package private(set) var bytesSent: UInt64 = 0
    /// When the last acknowledgement came: UTC, milliseconds since 1970.
    package private(set) var lastAcknowledgedAt: Int64?

    private let connection: MQTTConnection
    private let loop: EventLoop
    private let clock: Clock
    private var state: SyncState
    private var timer: EventLoop.TimerId?
    private var report: ((Report) -> Void)?
    private var wasDrained = true
    private let upTopic: String
    private let ackTopic: String
    private let statusTopic: String

    /// `options` are the broker's; the client id and the will are the device's, set here.
    package init(
        buffer: Buffer, broker options: MQTTOptions, limits: SyncState.Limits = SyncState.Limits(), on loop: EventLoop, clock: Clock = .system
    ) {
        self.buffer = buffer
        self.loop = loop
        self.clock = clock
        state = SyncState(limits: limits)
        upTopic = Topic.up(buffer.device)
        ackTopic = Topic.ack(buffer.device)
        statusTopic = Topic.status(buffer.device)
        var options = options
        options.clientId = "farwatch-" + buffer.device.text
        options.will = MQTTOptions.Will(topic: statusTopic, payload: Array("offline".utf8), isRetained: true)
        connection = MQTTConnection(options, on: loop)
    }

    package func start(_ report: @escaping (Report) -> Void) {
        self.report = report
        connection.start { [self] in handle($0) }
    }

    /// Says `offline` and leaves.
    package func stop() {
        if isConnected { try? connection.publish(statusTopic, Array("offline".utf8), isRetained: true) }
        isConnected = false
        state.disconnected()
        if let timer { loop.cancel(timer) }
        timer = nil
        connection.stop()
        report = nil
    }

    /// Something was sealed, up to this sequence.
    package func sealed(_ sequence: Sequence64) {
        state.sealed(sequence)
        pump()
    }

    /// Whether the collector has acknowledged everything that was sealed.
    package var isDrained: Bool { isConnected && state.isDrained }

    /// Batches that are on their way now.
    package var unacknowledged: Int { state.unacknowledged }

    // MARK: Events of the connection

    private func handle(_ event: MQTTConnection.Event) {
        switch event {
        case .connected: connected()
        case .disconnected(let reason, let retryIn):
            isConnected = false
            state.disconnected()
            report?(.disconnected(reason: reason, retryIn: retryIn))
        case .message(let topic, let payload):
            if topic == ackTopic { acknowledged(payload) }
        case .subscriptionRefused:
            report?(.failed("the broker refused the subscription to " + ackTopic + "; its access control must allow this device's own topics"))
        }
    }

    private func connected() {
        do throws(MQTTError) {
            // Subscribed first: MQTT keeps the order, so no acknowledgement of what follows can be missed.
            try connection.subscribe(ackTopic)
            try connection.publish(statusTopic, Array("online".utf8), isRetained: true)
        } catch {
            report?(.failed(error.description))
            return
        }
        isConnected = true
        wasDrained = false
        state.connected(newest: buffer.newestSequence)
        report?(.connected)
        pump()
    }

    private func acknowledged(_ payload: [UInt8]) {
        do throws(DecodingError) {
            let acknowledgement = try Acknowledgement(decoding: payload)
            if acknowledgement.stream == Acknowledgement.unreadableStream {
                if let run = acknowledgement.runs.first, case .refused(let reason) = run.outcome { report?(.unreadable(reason: reason)) }
            } else if acknowledgement.stream == buffer.stream {
                acknowledgement.runs.forEach(forget)
            }
        } catch {
            report?(.failed("an acknowledgement could not be read: " + error.description))
        }
        pump()
    }

    private func forget(_ run: Acknowledgement.Run) {
        if case .refused(let reason) = run.outcome { report?(.refused(run, reason: reason)) }
        do throws(BufferError) {
            try buffer.forget(run, of: buffer.stream)
        } catch {
            // It stays in the buffer, is sent again, and acknowledged again.
            tell(error)
            return
        }
        state.acknowledged(run)
        batchesAcknowledged += run.count
        lastAcknowledgedAt = clock.wall()
        report?(.acknowledged(batches: run.count))
    }

    // MARK: Sending

    /// Sends what may be sent now, and sets the timer for what comes later.
    private func pump() {
        // The buffer may have sealed something by itself: a receipt, an event.
        state.sealed(buffer.newestSequence)
        while isConnected, let want = state.next(now: clock.boot()) {
            do throws(BufferError) {
                guard let (sequence, bytes) = try fetch(want) else {
                    state.missing(want)
                    continue
                }
                try buffer.markSent(sequence)
                guard publish(bytes) else { break }
                state.sent(sequence, for: want, bytes: bytes.count, now: clock.boot(), jitter: Random.uint64())
            } catch {
                tell(error)
                break
            }
        }
        let drained = isDrained
        if drained && !wasDrained { report?(.drained) }
        wasDrained = drained
        scheduleWakeUp()
    }

    private func tell(_ error: BufferError) { report?(error.reason == .damaged ? .damaged(error.description) : .failed(error.description)) }

    private func fetch(_ want: SyncState.Want) throws(BufferError) -> (Sequence64, [UInt8])? {
        switch want {
        case .exactly(let sequence): return try buffer.batch(sequence).map { (sequence, $0) }
        case .newest(let bound): return try buffer.newestBatch(below: bound)
        }
    }

    private func publish(_ bytes: [UInt8]) -> Bool {
        do throws(MQTTError) {
            try connection.publish(upTopic, bytes)
            batchesSent += 1
            bytesSent += UInt64(bytes.count)
            return true
        } catch {
            report?(.failed(error.description))
            return false
        }
    }

    private func scheduleWakeUp() {
        if let timer { loop.cancel(timer) }
        timer = state.wakeUp.map { deadline in
            loop.after(max(Self.wakeUpMin, deadline - clock.boot())) { [self] in
                timer = nil
                pump()
            }
        }
    }
}
