import AgentSync
import Telemetry

/// A buffer as the state machine sees one: sequences that are still there, some of them reports.
struct Held {
    var samples: Set<Sequence64> = []
    var reports: Set<Sequence64> = []

    func find(_ want: SyncState.Want) -> Sequence64? {
        switch want {
        case .exactly(let sequence): samples.contains(sequence) || reports.contains(sequence) ? sequence : nil
        case .newest(let bound, let part): (part == .reports ? reports : samples).filter { $0 < bound }.max()
        }
    }

    mutating func drop(_ sequences: ClosedRange<Sequence64>) {
        samples = samples.filter { !sequences.contains($0) }
        reports = reports.filter { !sequences.contains($0) }
    }
}

/// A state machine with a buffer, a clock and a broker that confirms at once.
struct SyncHarness {
    var state: SyncState
    var held = Held()
    var now: Int64 = 0
    var newest: Sequence64 = 0
    var bytesOfBatch = 100
    var confirms = true
    var jitter: UInt64 = 0
    /// All that went, with the time.
    private(set) var log: [(sequence: Sequence64, at: Int64)] = []

    init(_ limits: SyncLimits = SyncLimits(), samples: ClosedRange<Sequence64>? = nil) {
        state = SyncState(limits: limits)
        if let samples { hold(samples) }
    }

    mutating func hold(_ samples: ClosedRange<Sequence64>) {
        held.samples.formUnion(samples)
        newest = max(newest, samples.upperBound)
    }

    mutating func connect(transportBatches: Int = 1_000) { state.connected(newest: newest, transportBatches: transportBatches, now: now) }

    /// Seals the next batch while connected.
    mutating func seal(isReport: Bool = false) {
        newest += 1
        if isReport { held.reports.insert(newest) } else { held.samples.insert(newest) }
        state.sealed(newest)
    }

    /// Sends all that may be sent now; the order in which it went.
    @discardableResult
    mutating func pump() -> [Sequence64] {
        var sent: [Sequence64] = []
        state.expire(now: now, jitter: jitter)
        while let want = state.next(now: now) {
            guard let sequence = held.find(want) else {
                state.missing(want)
                continue
            }
            if case .newest = want, state.isOnItsWay(sequence) {
                state.skipped(sequence, for: want)
                continue
            }
            sent.append(sequence)
            log.append((sequence, now))
            state.sent(sequence, for: want, bytes: bytesOfBatch, now: now)
            if confirms { state.delivered(sequence, now: now, jitter: jitter) }
        }
        return sent
    }

    mutating func acknowledge(_ sequences: ClosedRange<Sequence64>) {
        held.drop(sequences)
        state.acknowledged(.init(first: sequences.lowerBound, count: UInt64(sequences.count)), now: now)
    }

    /// Lets the time pass, waking up whenever the state asks for it.
    mutating func run(until end: Int64, answeringAfter delay: Int64? = nil) {
        while now < end {
            for sent in pump() where delay != nil { pending.append((sent, now + delay!)) }
            let next = min(end, min(pending.map(\.at).min() ?? end, state.wakeUp(now: now) ?? end))
            now = max(next, now)
            for due in pending where due.at <= now { acknowledge(due.sequence...due.sequence) }
            pending.removeAll { $0.at <= now }
        }
    }

    private var pending: [(sequence: Sequence64, at: Int64)] = []
}
