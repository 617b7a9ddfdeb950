import AgentSync
import Telemetry
import Testing

/// A buffer as the state machine sees one: sequences that are still there.
private struct Held {
    var sequences: Set<Sequence64>

    func find(_ want: SyncState.Want) -> Sequence64? {
        switch want {
        case .exactly(let sequence): sequences.contains(sequence) ? sequence : nil
        case .newest(let bound): sequences.filter { $0 < bound }.max()
        }
    }
}

struct SyncStateTests {
    /// Sends all that may be sent now; the order in which it went.
    private func pump(_ state: inout SyncState, _ held: Held, now: Int64, bytes: Int = 100) -> [Sequence64] {
        var sent: [Sequence64] = []
        while let want = state.next(now: now) {
            if let sequence = held.find(want) {
                sent.append(sequence)
                state.sent(sequence, for: want, bytes: bytes, now: now, jitter: 0)
            } else {
                state.missing(want)
            }
        }
        return sent
    }

    @Test func `nothing is sent before a connection`() {
        var state = SyncState()
        state.sealed(5)
        #expect(state.next(now: 0) == nil)
    }

    @Test func `the backlog goes from the newest to the oldest, within the window`() {
        var state = SyncState()
        let held = Held(sequences: Set(1...100))
        state.connected(newest: 100)
        #expect(pump(&state, held, now: 0) == Array((69...100).reversed()))
        #expect(state.unacknowledged == state.limits.windowBatches)
    }

    @Test func `what is sealed meanwhile goes before the rest of the backlog`() {
        var state = SyncState()
        var held = Held(sequences: Set(1...100))
        state.connected(newest: 100)
        _ = pump(&state, held, now: 0)
        held.sequences.insert(101)
        state.sealed(101)
        state.acknowledged(.init(first: 99, count: 2))
        #expect(pump(&state, held, now: 1) == [101, 68])
    }

    @Test func `gaps in the backlog are passed over and its end is found`() {
        var state = SyncState()
        let held = Held(sequences: [3, 50, 99])
        state.connected(newest: 100)
        #expect(pump(&state, held, now: 0) == [99, 50, 3])
        state.acknowledged(.init(first: 1, count: 100))
        #expect(state.isDrained)
    }

    @Test func `an overdue batch is sent again, later and later`() {
        var state = SyncState()
        let held = Held(sequences: [1])
        state.connected(newest: 1)
        #expect(pump(&state, held, now: 0) == [1])
        #expect(pump(&state, held, now: 9_999) == [])
        #expect(state.wakeUp == 10_000)
        #expect(pump(&state, held, now: 10_000) == [1])
        var again = state
        if let want = again.next(now: 20_000) { again.sent(1, for: want, bytes: 100, now: 20_000, jitter: 39_999) }
        #expect(again.wakeUp == 69_999)
    }

    @Test func `a batch that was evicted while on its way is forgotten`() {
        var state = SyncState()
        state.connected(newest: 1)
        _ = pump(&state, Held(sequences: [1]), now: 0)
        #expect(pump(&state, Held(sequences: []), now: 10_000) == [])
        #expect(state.isDrained)
    }

    @Test func `bytes bound the window too, but one batch always may go`() {
        var state = SyncState()
        let held = Held(sequences: Set(1...10))
        state.connected(newest: 10)
        #expect(pump(&state, held, now: 0, bytes: state.limits.windowBytes * 2) == [10])
    }

    @Test func `after a reconnect everything unacknowledged goes again`() {
        var state = SyncState()
        let held = Held(sequences: [1, 2, 3])
        state.connected(newest: 3)
        #expect(pump(&state, held, now: 0) == [3, 2, 1])
        state.disconnected()
        #expect(state.next(now: 1_000_000) == nil)
        state.connected(newest: 3)
        #expect(pump(&state, held, now: 5) == [3, 2, 1])
    }
}
