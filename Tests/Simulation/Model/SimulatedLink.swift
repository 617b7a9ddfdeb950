/// One direction of a connection: bytes in order, at a rate, after a latency. What is on its way is lost when it is cut, as with TCP.
final class SimulatedPipe {
    private let scheduler: Scheduler
    private let random: SeededRandom
    private let bytesPerSecond: Double
    private let latencyMax: Int64
    private var freeAt: Double = 0
    private var lastArrival: Int64 = 0
    private(set) var isOpen = true

    init(_ scheduler: Scheduler, _ random: SeededRandom, bytesPerSecond: Double, latencyMax: Int64) {
        self.scheduler = scheduler
        self.random = random
        self.bytesPerSecond = bytesPerSecond
        self.latencyMax = latencyMax
    }

    func send(bytes: Int, _ arrive: @escaping () async -> Void) {
        guard isOpen else { return }
        freeAt = max(freeAt, Double(scheduler.now)) + Double(bytes) / bytesPerSecond * 1_000
        lastArrival = max(lastArrival, Int64(freeAt) + random.between(0...latencyMax))
        scheduler.after(lastArrival - scheduler.now) { [self] in if isOpen { await arrive() } }
    }

    /// Nothing moves for so long; nothing is lost.
    func stall(_ duration: Int64) {
        freeAt = max(freeAt, Double(scheduler.now)) + Double(duration)
        lastArrival = max(lastArrival, scheduler.now + duration)
    }

    func close() { isOpen = false }
}

/// Who speaks to the broker.
protocol SimulatedClient: AnyObject {
    func connected(_ connection: SimulatedConnection) async
    func received(_ topic: String, _ bytes: [UInt8], on connection: SimulatedConnection) async
    func confirmed(_ message: Int32, refusal: String?, on connection: SimulatedConnection) async
    func closed(_ connection: SimulatedConnection, isTakeover: Bool) async
}

/// A client's connection to the broker, with a pipe each way.
final class SimulatedConnection {
    /// What an MQTT publish and a PUBACK take beside topic and payload, about.
    private static let headerBytes = 12

    let clientId: String
    let isCollector: Bool
    let client: any SimulatedClient
    let up: SimulatedPipe
    let down: SimulatedPipe
    private unowned let broker: SimulatedBroker
    private(set) var isOpen = true
    private var messages: Int32 = 0

    init(_ client: any SimulatedClient, id: String, isCollector: Bool, broker: SimulatedBroker, up: SimulatedPipe, down: SimulatedPipe) {
        self.client = client
        clientId = id
        self.isCollector = isCollector
        self.broker = broker
        self.up = up
        self.down = down
    }

    /// Publishes with QoS 1; the message's number.
    func publish(_ topic: String, _ bytes: [UInt8]) -> Int32 {
        messages += 1
        let message = messages
        up.send(bytes: bytes.count + topic.utf8.count + Self.headerBytes) { [self] in await broker.receive(self, topic, bytes, message) }
        return message
    }

    func confirm(_ message: Int32, refusal: String?) {
        down.send(bytes: Self.headerBytes) { [self] in await client.confirmed(message, refusal: refusal, on: self) }
    }

    func deliver(_ topic: String, _ bytes: [UInt8], arrived: @escaping () -> Void) {
        down.send(bytes: bytes.count + topic.utf8.count + Self.headerBytes) { [self] in
            arrived()
            await client.received(topic, bytes, on: self)
        }
    }

    /// Nothing passes any more; who is at the other end finds out when the broker says so.
    func cut() {
        isOpen = false
        up.close()
        down.close()
    }
}
