import AgentBuffer
import AgentSync
import LinuxDriver
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

    func forget(_ run: Acknowledgement.Run, of stream: StreamId) throws(BufferError) {}
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
}
