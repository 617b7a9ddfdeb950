import LinuxDriver
import Synchronization

/// The simulation's clocks. Milliseconds; both go on only when the scheduler says so.
final class VirtualTime: Sendable {
    /// 2026-06-01T00:00:00Z at boot 0.
    private static let wallStart: Int64 = 1_780_272_000_000
    private let boot = Mutex(Int64(1_000_000))

    var now: Int64 { boot.withLock { $0 } }
    var wall: Int64 { Self.wallStart + now }
    var clock: Clock { Clock(wall: { self.wall }, boot: { self.now }) }

    func advance(to time: Int64) { boot.withLock { $0 = max($0, time) } }
}

/// Runs what is to happen in the order of virtual time; what is to happen at the same time, in an order that chance has chosen. Nothing sleeps.
final class Scheduler {
    private struct Event {
        let at: Int64
        let lot: UInt64
        let action: () async -> Void

        func isBefore(_ other: Event) -> Bool { at != other.at ? at < other.at : lot < other.lot }
    }

    let time = VirtualTime()
    private let random: SeededRandom
    private var heap: [Event] = []
    private(set) var steps = 0

    init(random: SeededRandom) { self.random = random }

    var now: Int64 { time.now }

    func after(_ delay: Int64, _ action: @escaping () async -> Void) {
        heap.append(Event(at: now + max(0, delay), lot: random.next(), action: action))
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Until `end`, or until `isDone` says so between two events.
    func run(until end: Int64, orUntil isDone: () -> Bool = { false }) async {
        while let first = heap.first, first.at <= end, !isDone() {
            removeFirst()
            time.advance(to: first.at)
            steps += 1
            await first.action()
        }
        if !isDone() { time.advance(to: end) }
    }

    private func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
