import AgentBuffer
import AgentSync
import Telemetry

/// The device's real buffer, in a process that may die between any two calls and on a disk that may fail for a while.
final class FaultyQueue: DeliveryQueue {
    private let buffer: Buffer
    private let scheduler: Scheduler
    private let random: SeededRandom
    /// Told of each sequence that was given to a batch, with the batch if it is still there.
    private let sealed: (Sequence64, Batch?) -> Void
    private var known: Sequence64

    private(set) var isDead = false
    /// Calls until the process dies.
    var callsLeft: Int?
    /// The disk fails until then.
    var failsUntil: Int64 = 0
    /// For a canary.
    var refusesToSeal = false
    var forgetsSentMarks = false

    init(
        _ buffer: Buffer, _ scheduler: Scheduler, _ random: SeededRandom, sealed: @escaping (Sequence64, Batch?) -> Void
    ) {
        self.buffer = buffer
        self.scheduler = scheduler
        self.random = random
        self.sealed = sealed
        known = buffer.newestSequence
    }

    func die() { isDead = true }

    /// Does the work, or dies before or after it, or fails. A dead process does nothing; what it gives is nobody's any more.
    private func call<Result>(_ whenDead: Result, _ work: () throws(BufferError) -> Result) throws(BufferError) -> Result {
        guard !isDead else { return whenDead }
        if let left = callsLeft {
            callsLeft = left - 1
            if left <= 0 {
                isDead = true
                if random.chance(0.5) { _ = try? work() }
                noteSealed()
                return whenDead
            }
        }
        guard scheduler.now >= failsUntil else { throw BufferError(.full, buffer.path, "simulated: the disk is full") }
        defer { noteSealed() }
        return try work()
    }

    private func noteSealed() {
        while known < buffer.newestSequence {
            known += 1
            sealed(known, (try? buffer.batch(known)).flatMap { $0 }.flatMap { try? Batch(decoding: $0) })
        }
    }

    // MARK: What delivery asks for

    var stream: StreamId { buffer.stream }
    var newestSequence: Sequence64 { buffer.newestSequence }

    func seal(goingOut: Bool) throws(BufferError) -> Sequence64? {
        guard !refusesToSeal else { return nil }
        return try call(nil) { () throws(BufferError) in try buffer.seal(goingOut: goingOut && !forgetsSentMarks) }
    }

    func markSent(_ sequence: Sequence64) throws(BufferError) -> Bool {
        guard !forgetsSentMarks else { return false }
        return try call(false) { () throws(BufferError) in try buffer.markSent(sequence) }
    }

    func batch(_ sequence: Sequence64) throws(BufferError) -> [UInt8]? {
        try call(nil) { () throws(BufferError) in try buffer.batch(sequence) }
    }

    func newestBatch(below sequence: Sequence64, priority: UInt8) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        try call(nil) { () throws(BufferError) in try buffer.newestBatch(below: sequence, priority: priority) }
    }

    func forget(_ run: Acknowledgement.Run, of stream: StreamId) throws(BufferError) -> Int {
        try call(0) { () throws(BufferError) in try buffer.forget(run, of: stream) }
    }

    // MARK: What the agent's own part asks for

    /// Whether the tick is in the buffer, also when the process died of it.
    func append(_ tick: Tick) throws(BufferError) -> Bool {
        var isTaken = false
        try call(()) { () throws(BufferError) in
            try buffer.append(tick)
            isTaken = true
        }
        return isTaken
    }

    /// Whether the event is in the buffer.
    func append(event json: String, goingOut: Bool) throws(BufferError) -> Bool {
        var isTaken = false
        try call(()) { () throws(BufferError) in
            try buffer.append(.event, json: json, goingOut: goingOut)
            isTaken = true
        }
        return isTaken
    }

    /// A tick that found no room.
    func lose(_ tick: Tick) { buffer.lose(tick) }

    func tellUnwritten() throws(BufferError) { try call(()) { () throws(BufferError) in try buffer.tellUnwritten() } }

    var isSealDue: Bool { !isDead && buffer.isSealDue }
    var unsealedTicks: Int { buffer.unsealedTicks }
    var isEmpty: Bool { buffer.unsealedTicks == 0 && !buffer.hasUntold && (try? buffer.status().batches) == 0 }
}
