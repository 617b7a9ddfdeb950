import Foundation
import LinuxDriver
import Logging
import MQTTDriver
import ServiceLifecycle
import ServiceSupport
import Synchronization
import Telemetry

/// The collector's connection to the broker, on a thread of its own: takes every device's batches, through the subscription that all collectors
/// share, and presence; sends acknowledgements.
package final class BrokerSession: Service {
    /// Acknowledgements that may wait for the thread; beyond that they are dropped, and the devices send again.
    private static let outgoingMax = 20_000
    /// QoS 1 messages on their way at once: a fleet's worth, not a device's.
    private static let inFlightMax: UInt16 = 2_000

    private struct Message: Sendable {
        let topic: String
        let bytes: [UInt8]
    }

    private struct State {
        var outgoing: [Message] = []
        var isConnected = false
        /// Since when it is not: UTC, milliseconds since 1970.
        var lostAt: Int64
        var isStopping = false
        var failure = "not tried yet"
    }

    package typealias Receive = @Sendable (_ topic: String, _ bytes: [UInt8]) -> Void

    private let options: MQTTOptions
    private let logger: Logger
    private let dropped: Counter
    private let state: Mutex<State>
    private let clock: Clock
    private let wakeUp: WakeUp
    private let receive = Mutex<Receive?>(nil)
    private let began = Mutex<(@Sendable () -> Void)?>(nil)

    package init(_ options: MQTTOptions, registry: MetricsRegistry, clock: Clock = .system, logger: Logger) throws {
        self.clock = clock
        state = Mutex(State(lostAt: clock.wall()))
        var options = options
        // A client id of its own each time: a broker drops the older of two clients with the same id.
        options.clientId = "farwatch-collector-" + String(Random.uint64(), radix: 36)
        options.inFlightMax = Self.inFlightMax
        self.options = options
        self.logger = logger
        wakeUp = try WakeUp()
        dropped = registry.counter("farwatch_broker_dropped_total", "Messages to devices that were dropped before they reached the broker.")
        registry.gauge("farwatch_broker_connected", "1 while the broker is connected.") { [weak self] in self?.unavailableReason == nil ? 1 : 0 }
    }

    /// Who is handed what comes, and is told before that that a connection begins; set before `run`.
    package func deliver(to receive: @escaping Receive, began: @escaping @Sendable () -> Void = {}) {
        self.receive.withLock { $0 = receive }
        self.began.withLock { $0 = began }
    }

    /// Since when there is no connection: UTC, milliseconds since 1970; nil when there is one.
    package var lostAt: Int64? { state.withLock { $0.isConnected ? nil : $0.lostAt } }

    /// Why there is no connection; nil when there is one.
    package var unavailableReason: String? { state.withLock { $0.isConnected ? nil : $0.failure } }

    /// Sends a message, from any thread, without waiting; without a connection it is dropped, and the device sends again.
    package func publish(topic: String, bytes: [UInt8]) {
        let isTaken = state.withLock { state in
            guard state.isConnected, state.outgoing.count < Self.outgoingMax else { return false }
            state.outgoing.append(Message(topic: topic, bytes: bytes))
            return true
        }
        if isTaken { wakeUp.ring() } else { dropped.add() }
    }

    /// Runs until graceful shutdown or cancellation, then says goodbye to the broker.
    package func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
                let thread = Thread { [self] in ended.resume(with: Result { try loop() }) }
                thread.name = "broker"
                thread.start()
            }
        } onCancelOrGracefulShutdown: { [self] in
            state.withLock { $0.isStopping = true }
            wakeUp.ring()
        }
    }

    // MARK: The thread

    private func loop() throws {
        let loop = try EventLoop()
        let connection = MQTTConnection(options, on: loop)
        let handedOver = receive.withLock { $0 }
        try loop.watch(wakeUp.fd, .readable) { [self] _ in
            wakeUp.silence()
            let (messages, isStopping) = state.withLock { state in
                defer { state.outgoing.removeAll(keepingCapacity: true) }
                return (state.outgoing, state.isStopping)
            }
            for message in messages { send(message, on: connection) }
            if isStopping { loop.stop() }
        }
        connection.start { [self] event in handle(event, connection, handedOver) }
        try loop.run()
        connection.stop()
    }

    private func send(_ message: Message, on connection: MQTTConnection) {
        do { try connection.publish(message.topic, message.bytes) } catch { dropped.add() }
    }

    private func handle(_ event: MQTTConnection.Event, _ connection: MQTTConnection, _ receive: Receive?) {
        switch event {
        case .message(let topic, let payload): receive?(topic, payload)
        case .connected: connected(connection)
        case .disconnected(let reason, _):
            // Said once a reason; the tries that follow are silent.
            let isNews = state.withLock { state in
                defer {
                    if state.isConnected { state.lostAt = clock.wall() }
                    state.isConnected = false
                    state.failure = reason
                    state.outgoing.removeAll()
                }
                return state.isConnected || state.failure != reason
            }
            if isNews { logger.warning("not connected to the broker; devices keep their data", metadata: metadata(reason)) }
        case .subscriptionRefused:
            logger.error("the broker refused a subscription; its access control must allow this collector", metadata: metadata(Topic.everyUp))
        }
    }

    private func connected(_ connection: MQTTConnection) {
        began.withLock { $0 }?()
        do {
            try connection.subscribe(Topic.everyStatus)
            try connection.subscribe(Topic.everyUp)
        } catch {
            logger.error("could not subscribe", metadata: metadata("\(error)"))
            return
        }
        state.withLock { $0.isConnected = true }
        logger.info("connected to the broker", metadata: ["broker": "\(options.host):\(options.port)"])
    }

    private func metadata(_ reason: String) -> Logger.Metadata { ["broker": "\(options.host):\(options.port)", "reason": "\(reason)"] }
}
