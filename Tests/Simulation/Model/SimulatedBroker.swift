import Telemetry

/// A broker as bad as the standard allows: loses what it holds when it dies, gives things twice, late, to another collector, or damaged.
final class SimulatedBroker {
    private struct Held {
        let topic: String
        let bytes: [UInt8]
    }

    private let scheduler: Scheduler
    private let random: SeededRandom
    private let scenario: Scenario
    private let trace: Trace
    /// Told when a message does not get through as it was: then nothing is promised about it.
    private let harmed: () -> Void
    private(set) var isUp = true
    /// While things go wrong; afterwards it does as it should.
    var isFaulty = true
    private var connections: [SimulatedConnection] = []
    /// Passed on to a collector and not arrived there.
    private var onTheirWay: [Int: (held: Held, to: SimulatedConnection)] = [:]
    private var passedOn = 0
    /// A dead collector's messages, for the next one.
    private var left: [Held] = []

    init(_ scheduler: Scheduler, _ random: SeededRandom, _ scenario: Scenario, _ trace: Trace, harmed: @escaping () -> Void) {
        self.scheduler = scheduler
        self.random = random
        self.scenario = scenario
        self.trace = trace
        self.harmed = harmed
    }

    // MARK: Connections

    /// Connects or, while the broker is down, fails; `answer` says which, a round trip later.
    func connect(
        _ client: any SimulatedClient, id: String, isCollector: Bool, failed: @escaping () async -> Void,
        isStillWanted: @escaping () -> Bool
    ) {
        let roundTrip = random.between(1...(2 * scenario.linkLatencyMax))
        scheduler.after(roundTrip) { [self] in
            guard isStillWanted() else { return }
            guard isUp else { return await failed() }
            if let older = connections.first(where: { $0.clientId == id }) { await end(older, isTakeover: true) }
            let (up, down) = (pipe(isCollector), pipe(isCollector))
            let connection = SimulatedConnection(client, id: id, isCollector: isCollector, broker: self, up: up, down: down)
            connections.append(connection)
            await client.connected(connection)
            if isCollector { handOver() }
        }
    }

    private func pipe(_ isCollector: Bool) -> SimulatedPipe {
        SimulatedPipe(
            scheduler, random.fork(), bytesPerSecond: isCollector ? 50_000_000 : scenario.linkBytesPerSecond,
            latencyMax: isCollector ? 5 : scenario.linkLatencyMax)
    }

    /// The link or the client is gone.
    func lost(_ connection: SimulatedConnection) {
        connection.cut()
        connections.removeAll { $0 === connection }
        for (number, message) in onTheirWay.sorted(by: { $0.key < $1.key }) where message.to === connection {
            onTheirWay[number] = nil
            if scenario.redelivers && isUp { left.append(message.held) }
        }
        handOver()
    }

    private func end(_ connection: SimulatedConnection, isTakeover: Bool) async {
        lost(connection)
        await connection.client.closed(connection, isTakeover: isTakeover)
    }

    var openConnections: [SimulatedConnection] { connections }

    func crash(for duration: Int64) async {
        guard isUp else { return }
        trace.note("broker dies for \(duration) ms")
        isUp = false
        let keeps = scenario.redelivers
        let lostWithIt = onTheirWay.sorted { $0.key < $1.key }.map(\.value.held)
        for connection in connections { await end(connection, isTakeover: false) }
        left = keeps ? lostWithIt : []
        scheduler.after(duration) { [self] in isUp = true }
    }

    // MARK: Messages

    func receive(_ connection: SimulatedConnection, _ topic: String, _ bytes: [UInt8], _ message: Int32) async {
        guard isUp, connection.isOpen else { return }
        let bytes = damaged(bytes)
        guard !(isFaulty && random.chance(scenario.dropped)) else {
            harmed()
            return connection.confirm(message, refusal: nil)
        }
        if topic.hasSuffix("/up") {
            let isTaken = passOn(Held(topic: topic, bytes: bytes))
            connection.confirm(message, refusal: isTaken || !scenario.tellsOfNobody ? nil : "No matching subscribers")
            copies(of: Held(topic: topic, bytes: bytes))
        } else {
            connection.confirm(message, refusal: nil)
            let device = Topic.parse(topic).map { "farwatch-" + $0.device.text }
            for receiver in connections where receiver.clientId == device {
                receiver.deliver(topic, bytes) {}
                if isFaulty && random.chance(scenario.duplicated) { receiver.deliver(topic, bytes) {} }
            }
        }
    }

    /// To one of the collectors; false when there is none.
    private func passOn(_ held: Held) -> Bool {
        let collectors = connections.filter { $0.isCollector }
        guard !collectors.isEmpty else { return false }
        let collector = random.pick(collectors)
        passedOn += 1
        let number = passedOn
        onTheirWay[number] = (held, collector)
        collector.deliver(held.topic, held.bytes) { [self] in onTheirWay[number] = nil }
        return true
    }

    private func copies(of held: Held) {
        guard isFaulty else { return }
        if random.chance(scenario.duplicated) { _ = passOn(held) }
        if random.chance(scenario.stale) { scheduler.after(random.between(0...120_000)) { [self] in if isUp { _ = passOn(held) } } }
    }

    private func handOver() {
        guard isUp, connections.contains(where: { $0.isCollector }) else { return }
        let waiting = left
        left = []
        for held in waiting { _ = passOn(held) }
    }

    private func damaged(_ bytes: [UInt8]) -> [UInt8] {
        guard isFaulty, !bytes.isEmpty, random.chance(scenario.corrupted) else { return bytes }
        var bytes = bytes
        for _ in 0...random.below(3) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
        harmed()
        trace.note("broker damages a message of \(bytes.count) bytes")
        return bytes
    }
}
