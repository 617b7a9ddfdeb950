import AgentBuffer
import AgentSync
import LinuxDriver
import Synchronization
import Telemetry
import Testing

/// A queue that needs room for a mark, and makes it at the cost of the batch that is being marked.
private final class NarrowQueue: DeliveryQueue {
    let stream: StreamId = 7
    var newestSequence: Sequence64 { 3 }
    var batches: [Sequence64: [UInt8]] = [1: [1], 2: [2], 3: [3]]
    /// What becomes of a batch when it is marked: nil for nothing, an empty one for gone.
    var changes: [Sequence64: [UInt8]] = [:]
    private var marked: Set<Sequence64> = []

    func seal(goingOut: Bool) throws(BufferError) -> Sequence64? { nil }

    func markSent(_ sequence: Sequence64) throws(BufferError) -> Bool {
        guard marked.insert(sequence).inserted else { return false }
        if let change = changes[sequence] { batches[sequence] = change.isEmpty ? nil : change }
        return true
    }

    func batch(_ sequence: Sequence64) throws(BufferError) -> [UInt8]? { batches[sequence] }

    func newestBatch(below sequence: Sequence64, priority: UInt8) throws(BufferError) -> (sequence: Sequence64, bytes: [UInt8])? {
        guard priority == BatchKind.samples.priority, let found = batches.keys.filter({ $0 < sequence }).max() else { return nil }
        return batches[found].map { (found, $0) }
    }

    func forget(_ run: Acknowledgement.Run, of stream: StreamId) throws(BufferError) -> Int {
        let known = batches.keys.filter { $0 >= run.first && $0 <= run.last }
        for sequence in known { batches[sequence] = nil }
        return known.count
    }
}

private final class BootTime: Sendable {
    let milliseconds = Mutex<Int64>(1_000)
}

struct DeliveryTests {
    private func sent(_ queue: NarrowQueue) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        let delivery = Delivery(queue, clock: Clock(wall: { 1_800_000_000_000 }, boot: { 1_000 }), random: { 0 })
        delivery.start { bytes in
            sent.append(bytes)
            return Int32(sent.count)
        } _: { _ in
        }
        delivery.connected(transportBatches: 100)
        delivery.stop()
        return sent
    }

    @Test func `what goes out is what was there when it had been marked`() {
        #expect(sent(NarrowQueue()) == [[3], [2], [1]])
        let thinned = NarrowQueue()
        thinned.changes = [2: [20, 20]]
        #expect(sent(thinned) == [[3], [20, 20], [1]])
    }

    @Test func `a batch that was given up for its own mark is not sent, and the older ones are`() {
        let narrow = NarrowQueue()
        narrow.changes = [3: [], 2: []]
        #expect(sent(narrow) == [[1]])
    }

    @Test func `only what was there is counted as acknowledged, and told as refused`() {
        var refused: [Sequence64] = []
        let queue = NarrowQueue()
        let delivery = Delivery(queue, clock: Clock(wall: { 1_800_000_000_000 }, boot: { 1_000 }), random: { 0 })
        delivery.start { _ in
            1
        } _: { report in
            if case .refused(let run, _) = report { refused.append(run.first) }
        }
        delivery.connected(transportBatches: 100)
        func receive(_ run: Acknowledgement.Run) { delivery.received(Acknowledgement(stream: queue.stream, runs: [run]).encoded()) }
        receive(.init(first: 900, outcome: .refused(reason: "never sent")))
        receive(.init(first: 4, count: 1 << 20))
        #expect(delivery.counts.batchesAcknowledged == 0 && delivery.counts.lastAcknowledgedAt == nil && refused.isEmpty)
        receive(.init(first: 2, outcome: .refused(reason: "of no use")))
        receive(.init(first: 2, outcome: .refused(reason: "of no use")))
        receive(.init(first: 1, count: 1 << 20))
        #expect(delivery.counts.batchesAcknowledged == 3 && refused == [2])
        delivery.stop()
    }

    @Test func `that nobody acknowledges is told once, after several time-outs`() {
        let now = BootTime()
        var (told, messages): (Int, [Int32]) = (0, [])
        let delivery = Delivery(NarrowQueue(), clock: Clock(wall: { 1_800_000_000_000 }, boot: { now.milliseconds.withLock { $0 } }), random: { 0 })
        delivery.start { _ in
            messages.append(Int32(messages.count))
            return messages.last
        } _: { report in
            if case .unanswered = report { told += 1 }
        }
        delivery.connected(transportBatches: 100)
        var silent: [Bool] = []
        for _ in 0..<6 {
            for message in messages { delivery.confirmed(message, refusal: nil) }
            now.milliseconds.withLock { $0 += 1_000_000 }
            delivery.pump()
            silent.append(delivery.status.isUnanswered)
        }
        #expect(silent == [false, false, true, true, true, true] && told == 1)
        #expect(delivery.status.batchesResent == delivery.counts.batchesSent - 3, "three batches went for the first time")
        delivery.received(Acknowledgement(stream: 7, runs: [.init(first: 1)]).encoded())
        #expect(!delivery.status.isUnanswered)
        delivery.stop()
    }
}
