import AgentBuffer
import LinuxDriver
import MQTTDriver
import Telemetry

/// One device's way to the collector: its connection to the broker, and the sending of what its buffer holds. Wires `Delivery` to MQTT and to
/// the loop's timers.
package final class DeviceLink {
    package typealias Report = DeliveryReport

    /// Between two looks at overdue batches, in milliseconds, so that a buffer that cannot be read does not keep the loop busy.
    private static let wakeUpMin: Int64 = 20
    /// Of a publish, beside its topic and payload: type and length, lengths of topic and properties, packet id; as MQTT 5 has them at most.
    private static let publishBytes = 10

    /// Publishes on their way at once, where the broker allows so many: what bounds them is the window's bytes.
    private static let inFlightMax: UInt16 = 576

    package let buffer: Buffer
    private let delivery: Delivery<Buffer>
    private let connection: MQTTConnection
    private let loop: EventLoop
    private let clock: Clock
    private var timer: EventLoop.TimerId?
    private var report: ((Report) -> Void)?
    private let upTopic: String
    private let ackTopic: String
    private let statusTopic: String

    /// `options` are the broker's; the client id and the will are the device's, set here.
    package init(
        buffer: Buffer, broker options: MQTTOptions, limits: SyncLimits = SyncLimits(), on loop: EventLoop, clock: Clock = .system
    ) {
        self.buffer = buffer
        self.loop = loop
        self.clock = clock
        upTopic = Topic.up(buffer.device)
        ackTopic = Topic.ack(buffer.device)
        statusTopic = Topic.status(buffer.device)
        delivery = Delivery(buffer, limits: limits, overheadBytes: upTopic.utf8.count + Self.publishBytes, clock: clock)
        var options = options
        options.inFlightMax = Self.inFlightMax
        options.clientId = "farwatch-" + buffer.device.text
        options.will = MQTTOptions.Will(topic: statusTopic, payload: Array("offline".utf8), isRetained: true)
        connection = MQTTConnection(options, on: loop)
    }

    package func start(_ report: @escaping (Report) -> Void) {
        self.report = report
        delivery.start(publish: { [self] in publish($0) }, report)
        connection.start { [self] in
            handle($0)
        } confirmed: { [self] message, refusal in
            delivery.confirmed(message, refusal: refusal)
            scheduleWakeUp()
        }
    }

    /// Says `offline` and leaves.
    package func stop() {
        if isConnected { try? connection.publish(statusTopic, Array("offline".utf8), isRetained: true) }
        delivery.stop()
        if let timer { loop.cancel(timer) }
        timer = nil
        connection.stop()
        report = nil
    }

    /// Something was sealed, up to this sequence.
    package func sealed(_ sequence: Sequence64) {
        delivery.pump()
        scheduleWakeUp()
    }

    package var isConnected: Bool { delivery.isConnected }
    /// Whether the collector has acknowledged everything that was sealed.
    package var isDrained: Bool { delivery.isDrained }
    /// Batches that are on their way now.
    package var unacknowledged: Int { delivery.unacknowledged }
    package var status: SyncStatus { delivery.status }
    package var counts: DeliveryCounts { delivery.counts }
    package var batchesAcknowledged: UInt64 { delivery.counts.batchesAcknowledged }
    package var batchesSent: UInt64 { delivery.counts.batchesSent }
    package var bytesSent: UInt64 { delivery.counts.bytesSent }
    package var lastAcknowledgedAt: Int64? { delivery.counts.lastAcknowledgedAt }
    /// How often another client has taken this device's session over, since a connection last stood undisturbed.
    package var takeovers: Int { connection.takeovers }
    /// The same where the broker does not say so and it is only likely.
    package var likelyTakeovers: Int { connection.likelyTakeovers }

    // MARK: Events of the connection

    private func handle(_ event: MQTTConnection.Event) {
        switch event {
        case .connected: connected()
        case .disconnected(let reason, let retryIn):
            delivery.disconnected()
            report?(.disconnected(reason: reason, retryIn: retryIn))
        case .message(let topic, let payload):
            if topic == ackTopic { delivery.received(payload) }
        case .subscriptionRefused:
            report?(.failed("the broker refused the subscription to " + ackTopic + "; its access control must allow this device's own topics"))
        }
        scheduleWakeUp()
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
        delivery.connected(transportBatches: connection.sendMax)
    }

    private func publish(_ bytes: [UInt8]) -> Int32? {
        do throws(MQTTError) {
            return try connection.send(upTopic, bytes)
        } catch {
            report?(.failed(error.description))
            return nil
        }
    }

    private func scheduleWakeUp() {
        if let timer { loop.cancel(timer) }
        timer = delivery.wakeUp.map { deadline in
            loop.after(max(Self.wakeUpMin, deadline - clock.boot())) { [self] in
                timer = nil
                delivery.pump()
                scheduleWakeUp()
            }
        }
    }
}
