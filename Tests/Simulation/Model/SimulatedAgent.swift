import AgentBuffer
import AgentSync
import Foundation
import MQTTDriver
import SQLiteDriver
import Telemetry

/// A device: the real buffer and the real delivery, in a process that can be killed, over a simulated connection.
final class SimulatedAgent: SimulatedClient {
    /// One life of the process.
    private final class Life {
        let number: Int
        let queue: FaultyQueue
        let delivery: Delivery<FaultyQueue>
        var reconnection = Reconnection()
        var connection: SimulatedConnection?
        var wakeUps = 0

        init(_ number: Int, _ queue: FaultyQueue, _ delivery: Delivery<FaultyQueue>) {
            self.number = number
            self.queue = queue
            self.delivery = delivery
        }
    }

    private static let openAttemptsMax = 500

    let device: DeviceId
    private let path: String
    private let scheduler: Scheduler
    private let random: SeededRandom
    private let scenario: Scenario
    private let broker: SimulatedBroker
    private let ledger: Ledger
    private let trace: Trace
    private let canary: Canary?
    private var life: Life?
    private var lives = 0
    private(set) var isProducing = true
    /// For a canary: the batches of messages.
    private var published: [Int32: Sequence64] = [:]

    init(
        _ device: DeviceId, path: String, _ scheduler: Scheduler, _ random: SeededRandom, _ scenario: Scenario, broker: SimulatedBroker,
        ledger: Ledger, trace: Trace, canary: Canary?
    ) {
        self.device = device
        self.path = path
        self.scheduler = scheduler
        self.random = random
        self.scenario = scenario
        self.broker = broker
        self.ledger = ledger
        self.trace = trace
        self.canary = canary
    }

    // MARK: The process

    func start() throws {
        guard life == nil else { return }
        var limits = BufferLimits()
        limits.sealTicksMax = scenario.sealTicks
        limits.sealAgeMax = scenario.sealAge
        limits.reserveBytes = 0
        if let bytes = scenario.bufferBytes { limits.bytesMax = bytes }
        if canary == .losesUnsealedTicks, lives > 0 { try Database(path: path).execute("DELETE FROM ticks") }
        let buffer = try open(limits)
        // A machine that cannot even open the file is no machine to simulate on.
        if let reason = buffer.memoryReason { ledger.problem("\(device)'s buffer is in memory: \(reason)") }
        lives += 1
        let queue = FaultyQueue(buffer, scheduler, random.fork()) { [self] sequence, batch in
            if let batch { ledger.sealed(device, sequence, batch) } else { ledger.sealedAndGone(device, sequence) }
        }
        queue.forgetsSentMarks = canary == .forgetsSentMarks
        var sync = SyncLimits()
        sync.backlogBytesPerSecond = scenario.backlogBytesPerSecond
        sync.bytesPerHour = scenario.bytesPerHour
        let delivery = Delivery(queue, limits: sync, overheadBytes: 40, clock: scheduler.time.clock, random: random.next)
        life = Life(lives, queue, delivery)
        trace.note("\(device) starts, life \(lives), newest \(buffer.newestSequence)")
    }

    /// A program that another test of the same process starts holds this one's locks until its exec: real time, of which the simulation knows nothing.
    private func open(_ limits: BufferLimits) throws(BufferError) -> Buffer {
        for _ in 0..<Self.openAttemptsMax {
            do throws(BufferError) {
                return try Buffer(path: path, device: device, limits: limits, clock: scheduler.time.clock)
            } catch { guard error.reason == .inUse else { throw error } }
            usleep(10_000)
        }
        return try Buffer(path: path, device: device, limits: limits, clock: scheduler.time.clock)
    }

    func goOnline() {
        guard let number = life?.number else { return }
        connect(number)
        tick(number)
        look(number)
    }

    var isAlive: Bool { life != nil }
    /// Everything that was taken is acknowledged.
    var isDrained: Bool { life.map { $0.delivery.isDrained && $0.queue.isEmpty } ?? false }

    /// The end of the simulation: lets go of the buffer's files.
    func end() {
        life?.delivery.stop()
        life = nil
    }

    func kill(for duration: Int64) {
        guard life != nil else { return }
        life?.queue.die()
        bury(for: duration)
    }

    /// Dies within so many calls to the disk, wherever that is.
    func killSoon(after calls: Int) { life?.queue.callsLeft = calls }

    /// No death is on its way any more, and the disk takes everything.
    func calmDown() {
        life?.queue.callsLeft = nil
        life?.queue.failsUntil = 0
    }

    func failDisk(for duration: Int64) { life?.queue.failsUntil = scheduler.now + duration }

    private func bury(for duration: Int64) {
        guard let dead = life else { return }
        trace.note("\(device) dies for \(duration) ms")
        dead.delivery.stop()
        if let connection = dead.connection { broker.lost(connection) }
        life = nil
        scheduler.after(duration) { [self] in
            do { try start() } catch { ledger.problem("\(device) did not start: \(error)") }
            goOnline()
        }
    }

    /// Does something with the life of that number, if it is still the one; it may end on the way.
    private func live(_ number: Int, _ work: (Life) throws(BufferError) -> Void) {
        guard let life, life.number == number else { return }
        do throws(BufferError) { try work(life) } catch { trace.note("\(device): \(error)") }
        if life.queue.isDead { return bury(for: random.between(100...15_000)) }
        scheduleWakeUp(life)
    }

    // MARK: Sampling

    func stopProducing() { isProducing = false }

    /// A tick before the device is ever online.
    func prepare() {
        guard let life else { return }
        take()
        live(life.number) { life throws(BufferError) in if life.queue.isSealDue { _ = try life.queue.seal(goingOut: false) } }
    }

    private func take() {
        guard let number = life?.number else { return }
        live(number) { life throws(BufferError) in try take(life) }
    }

    private func take(_ life: Life) throws(BufferError) {
        let tick = ledger.next(device, at: scheduler.time.wall)
        do throws(BufferError) {
            if try life.queue.append(tick) { ledger.taken(tick, of: device) }
        } catch {
            life.queue.lose(tick)
            return ledger.lost(device)
        }
        try life.queue.tellUnwritten()
    }

    func note(bytes: Int) {
        guard let number = life?.number else { return }
        live(number) { life throws(BufferError) in
            let (number, event) = ledger.nextNote(device, at: scheduler.time.wall, bytes: bytes)
            defer { ledger.noteIsDone(of: device) }
            let isTaken = try life.queue.append(event: event, goingOut: life.delivery.isConnected)
            if isTaken { ledger.taken(note: number, of: device) }
            life.delivery.pump()
        }
    }

    private func tick(_ number: Int) {
        guard life?.number == number else { return }
        if isProducing { take() }
        if isProducing, random.chance(0.05) { note(bytes: Int(random.between(10...3_000))) }
        live(number) { life throws(BufferError) in
            if life.queue.isSealDue { _ = try life.queue.seal(goingOut: life.delivery.isConnected) }
            life.delivery.pump()
        }
        scheduler.after(scenario.tickInterval) { [self] in tick(number) }
    }

    /// The daemon's look at whether the oldest unsealed tick is due; at the end, whether anything is left unsealed.
    private func look(_ number: Int) {
        live(number) { life throws(BufferError) in
            if !isProducing { try life.queue.tellUnwritten() }
            if life.queue.isSealDue || !isProducing { _ = try life.queue.seal(goingOut: life.delivery.isConnected) }
            life.delivery.pump()
        }
        if life?.number == number { scheduler.after(1_000) { [self] in look(number) } }
    }

    // MARK: The connection

    private func connect(_ number: Int) {
        broker.connect(
            self, id: "farwatch-" + device.text, isCollector: false,
            failed: { [self] in retry(number, isTakeover: false) }, isStillWanted: { [self] in life?.number == number && life?.connection == nil })
    }

    private func retry(_ number: Int, isTakeover: Bool) {
        guard life?.number == number else { return }
        let delay = life!.reconnection.ended(isTakeover ? .takenOver : .lost, now: scheduler.now, random: random.next())
        scheduler.after(delay) { [self] in connect(number) }
    }

    func connected(_ connection: SimulatedConnection) async {
        guard let number = life?.number else { return }
        life!.connection = connection
        published = [:]
        life!.reconnection.connected(now: scheduler.now)
        live(number) { life throws(BufferError) in
            ledger.connected(device)
            life.delivery.start { [self] in
                publish($0, connection)
            } _: { [self] in
                hear($0)
            }
            life.queue.refusesToSeal = canary == .waitsOnConnection
            life.delivery.connected(transportBatches: scenario.receiveMaximum)
            life.queue.refusesToSeal = false
        }
    }

    private func publish(_ bytes: [UInt8], _ connection: SimulatedConnection) -> Int32? {
        // A process that has died meanwhile sends nothing.
        guard connection.isOpen, life.map({ !$0.queue.isDead }) ?? false else { return nil }
        let message = connection.publish(Topic.up(device), bytes)
        if canary == .forgetsOnConfirmation, let batch = try? Batch(decoding: bytes) { published[message] = batch.sequence }
        return message
    }

    private func hear(_ report: DeliveryReport) {
        if case .refused(let run, let reason) = report { ledger.problem("\(device) was refused \(run.first): \(reason)") }
    }

    func closed(_ connection: SimulatedConnection, isTakeover: Bool) async {
        guard let number = life?.number, life?.connection === connection else { return }
        life?.connection = nil
        live(number) { life throws(BufferError) in life.delivery.disconnected() }
        retry(number, isTakeover: isTakeover)
    }

    /// The link breaks; both ends notice.
    func cutLink() async {
        guard let connection = life?.connection else { return }
        trace.note("\(device)'s link breaks")
        broker.lost(connection)
        await closed(connection, isTakeover: false)
    }

    func stallLink(_ duration: Int64) {
        life?.connection?.up.stall(duration)
        life?.connection?.down.stall(duration)
    }

    func confirmed(_ message: Int32, refusal: String?, on connection: SimulatedConnection) async {
        guard let number = life?.number, life?.connection === connection else { return }
        live(number) { life throws(BufferError) in
            if let sequence = published.removeValue(forKey: message), refusal == nil {
                _ = try life.queue.forget(Acknowledgement.Run(first: sequence), of: life.queue.stream)
            }
            life.delivery.confirmed(message, refusal: refusal)
        }
    }

    func received(_ topic: String, _ bytes: [UInt8], on connection: SimulatedConnection) async {
        guard let number = life?.number, life?.connection === connection else { return }
        live(number) { life throws(BufferError) in life.delivery.received(bytes) }
    }

    private func scheduleWakeUp(_ life: Life) {
        life.wakeUps += 1
        let (number, turn) = (life.number, life.wakeUps)
        guard let deadline = life.delivery.wakeUp else { return }
        scheduler.after(max(20, deadline - scheduler.now)) { [self] in
            guard let life = self.life, life.number == number, life.wakeUps == turn else { return }
            live(number) { life throws(BufferError) in life.delivery.pump() }
        }
    }
}
