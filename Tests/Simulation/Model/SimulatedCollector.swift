import CollectorIngest
import Telemetry
import TimeSeriesStores

/// A collector: the real check of what comes, the real store, the real merging of acknowledgements, in a process that may die between any two
/// of them.
final class SimulatedCollector: SimulatedClient {
    private static let queueMax = 200
    private static let groupMax = 64

    private let name: String
    private let scheduler: Scheduler
    private let random: SeededRandom
    private let scenario: Scenario
    private let broker: SimulatedBroker
    private let store: SimulatedStore
    private let trace: Trace
    private let canary: Canary?
    private var life = 0
    private(set) var isUp = false
    private var connection: SimulatedConnection?
    private var queue: [(topic: String, bytes: [UInt8])] = []
    private var isCommitting = false
    /// The store fails until then.
    private var storeFailsUntil: Int64 = 0
    /// Dies at one of the next steps of a commit.
    var isDoomed = false
    /// While things go wrong; a pace among them, to see that it is let go.
    var isFaulty = true

    init(
        _ name: String, _ scheduler: Scheduler, _ random: SeededRandom, _ scenario: Scenario, broker: SimulatedBroker, store: SimulatedStore,
        trace: Trace, canary: Canary?
    ) {
        self.name = name
        self.scheduler = scheduler
        self.random = random
        self.scenario = scenario
        self.broker = broker
        self.store = store
        self.trace = trace
        self.canary = canary
    }

    // MARK: The process

    func start() {
        guard !isUp else { return }
        life += 1
        isUp = true
        connect(life)
    }

    func kill(for duration: Int64) {
        guard isUp else { return }
        trace.note("\(name) dies for \(duration) ms with \(queue.count) messages")
        life += 1
        isUp = false
        isDoomed = false
        queue = []
        isCommitting = false
        if let connection { broker.lost(connection) }
        connection = nil
        scheduler.after(duration) { [self] in start() }
    }

    func failStore(for duration: Int64) { storeFailsUntil = scheduler.now + duration }

    private func connect(_ life: Int) {
        broker.connect(
            self, id: "\(name)-\(life)", isCollector: true,
            failed: { [self] in if self.life == life { scheduler.after(random.between(100...1_000)) { [self] in connect(life) } } },
            isStillWanted: { [self] in self.life == life && connection == nil })
    }

    func connected(_ connection: SimulatedConnection) async { self.connection = connection }

    func closed(_ connection: SimulatedConnection, isTakeover: Bool) async {
        guard self.connection === connection else { return }
        self.connection = nil
        let life = self.life
        scheduler.after(random.between(0...1_000)) { [self] in if self.life == life { connect(life) } }
    }

    func confirmed(_ message: Int32, refusal: String?, on connection: SimulatedConnection) async {}

    // MARK: Ingestion

    func received(_ topic: String, _ bytes: [UInt8], on connection: SimulatedConnection) async {
        guard isUp, self.connection === connection, queue.count < Self.queueMax else { return }
        if canary == .acknowledgesBeforeCommit, let batch = try? Batch(decoding: bytes) {
            answer([(batch.device, Acknowledgement(stream: batch.stream, runs: [.init(first: batch.sequence)]))])
        }
        queue.append((topic, bytes))
        begin()
    }

    private func begin() {
        guard !isCommitting, !queue.isEmpty else { return }
        isCommitting = true
        let life = self.life
        scheduler.after(random.between(0...scenario.commitMax)) { [self] in if self.life == life { await commit(life) } }
    }

    private func commit(_ life: Int) async {
        if isDoomed && random.chance(0.5) { return kill(for: random.between(100...20_000)) }
        guard scheduler.now >= storeFailsUntil else {
            return scheduler.after(random.between(100...1_000)) { [self] in if self.life == life { await commit(life) } }
        }
        let group = Array(queue.prefix(Self.groupMax))
        var merger = AcknowledgementMerger()
        do {
            for answer in try await store.commit(group.map { believed($0) }) {
                merger.add(answer.device, answer.stream, answer.sequence, answer.outcome)
            }
        } catch {
            return trace.note("\(name): the store: \(error)")
        }
        if isDoomed { return kill(for: random.between(100...20_000)) }
        queue.removeFirst(group.count)
        isCommitting = false
        let answers = merger.messages().map { ($0.device, $0.acknowledgement) }
        scheduler.after(random.between(0...5)) { [self] in if self.life == life { answer(answers) } }
        begin()
    }

    private func answer(_ answers: [(DeviceId, Acknowledgement)]) {
        for (device, acknowledgement) in answers {
            var acknowledgement = acknowledgement
            if scenario.paces, isFaulty, random.chance(0.2) { acknowledgement.pace = random.pick([200, 2_000, 50_000]) }
            if canary == .acknowledgesTooMuch, let run = acknowledgement.runs.last {
                acknowledgement.runs.append(.init(first: run.last + 1, outcome: run.outcome))
            }
            _ = connection?.publish(Topic.ack(device), acknowledgement.encoded())
        }
    }

    /// For a canary: what is damaged gets the checksum it should have.
    private func believed(_ message: (topic: String, bytes: [UInt8])) -> (topic: String, bytes: [UInt8]) {
        guard canary == .believesDamage, (try? Batch(decoding: message.bytes)) == nil, message.bytes.count > 4 else { return message }
        var writer = ByteWriter()
        writer.append(Array(message.bytes.dropLast(4)))
        writer.uint32(CRC32C.checksum(writer.bytes[...]))
        return (message.topic, writer.bytes)
    }
}
