import Telemetry

/// What decides which batch goes when: the window of unacknowledged batches, time-outs, live before backlog. A value with no clock, no I/O and
/// no randomness in it; `DeviceLink` drives it.
///
/// After each (re)connection there are two lanes. *Live* is what is sealed from then on, sent at once. *Backlog* is what the buffer held at that
/// moment, sent from the newest to the oldest.
package struct SyncState: Sendable {
    package struct Limits: Sendable {
        /// Batches on their way at once.
        package var windowBatches = 32
        /// Bytes on their way at once; one batch always may.
        package var windowBytes = 256 * 1024
        /// How long an acknowledgement may take before the batch is sent again, in milliseconds.
        package var acknowledgeTimeout: Int64 = 10_000
        /// What the growing time-out of a batch that is sent again and again stops at, in milliseconds.
        package var acknowledgeTimeoutMax: Int64 = 300_000

        package init() {}
    }

    /// What is to be fetched from the buffer and sent next.
    package enum Want: Equatable, Sendable {
        /// This batch, as it is live or its acknowledgement is overdue.
        case exactly(Sequence64)
        /// The newest batch that is older than this one.
        case newest(below: Sequence64)
    }

    private struct InFlight {
        var bytes: Int
        var attempts: Int
        /// When it is sent again: milliseconds on the boot clock.
        var deadline: Int64
    }

    package let limits: Limits
    private var inFlight: [Sequence64: InFlight] = [:]
    private var inFlightBytes = 0
    private var isConnected = false
    private var nextLive: Sequence64 = 1
    private var newest: Sequence64 = 0
    /// Below this everything may still have to be sent; 0 when the backlog has been gone through.
    private var backlogBelow: Sequence64 = 0

    package init(limits: Limits = Limits()) { self.limits = limits }

    package var unacknowledged: Int { inFlight.count }
    /// Whether everything that was sealed has been sent and acknowledged, as far as this connection knows.
    package var isDrained: Bool { inFlight.isEmpty && backlogBelow == 0 && nextLive > newest }

    // MARK: Events

    /// A connection is up and acknowledgements are subscribed to; the buffer's newest sequence is `newest`.
    package mutating func connected(newest: Sequence64) {
        inFlight.removeAll()
        inFlightBytes = 0
        isConnected = true
        self.newest = newest
        nextLive = newest + 1
        backlogBelow = newest + 1
    }

    package mutating func disconnected() {
        isConnected = false
        inFlight.removeAll()
        inFlightBytes = 0
    }

    package mutating func sealed(_ sequence: Sequence64) { newest = max(newest, sequence) }

    /// `want` was found and sent as this batch. `jitter` is a random number for the time-out.
    package mutating func sent(_ sequence: Sequence64, for want: Want, bytes: Int, now: Int64, jitter: UInt64) {
        advance(want, sent: sequence)
        let attempts = (inFlight[sequence]?.attempts ?? 0) + 1
        if inFlight[sequence] == nil { inFlightBytes += bytes }
        let bound = min(limits.acknowledgeTimeoutMax, limits.acknowledgeTimeout << Int64(min(attempts - 1, 16)))
        // The first time-out is the plain one; later ones are spread over their whole growing range.
        let spread = attempts == 1 ? 0 : Int64(jitter % UInt64(bound + 1))
        inFlight[sequence] = InFlight(bytes: bytes, attempts: attempts, deadline: now + limits.acknowledgeTimeout + spread)
    }

    /// `want` is not in the buffer: acknowledged meanwhile, or evicted; or there is no older batch.
    package mutating func missing(_ want: Want) {
        switch want {
        case .exactly(let sequence):
            if let gone = inFlight.removeValue(forKey: sequence) { inFlightBytes -= gone.bytes }
            if sequence == nextLive { nextLive += 1 }
        case .newest: backlogBelow = 0
        }
    }

    private mutating func advance(_ want: Want, sent sequence: Sequence64) {
        switch want {
        case .exactly: if sequence == nextLive { nextLive += 1 }
        case .newest: backlogBelow = sequence
        }
    }

    /// The collector is done with these.
    package mutating func acknowledged(_ run: Acknowledgement.Run) {
        for sequence in inFlight.keys where sequence >= run.first && sequence <= run.last {
            if let done = inFlight.removeValue(forKey: sequence) { inFlightBytes -= done.bytes }
        }
    }

    // MARK: Decisions

    /// What to send now; nil when nothing may or need be sent. Answer with `sent` or `missing` before asking again.
    package func next(now: Int64) -> Want? {
        guard isConnected else { return nil }
        if let overdue = overdue(now) { return .exactly(overdue) }
        guard inFlight.count < limits.windowBatches, inFlight.isEmpty || inFlightBytes < limits.windowBytes else { return nil }
        if nextLive <= newest { return .exactly(nextLive) }
        return backlogBelow > 0 ? .newest(below: backlogBelow) : nil
    }

    /// When `next` may have something to say without any other event: the earliest time-out.
    package var wakeUp: Int64? {
        guard isConnected else { return nil }
        var earliest: Int64?
        for batch in inFlight.values { earliest = min(earliest ?? .max, batch.deadline) }
        return earliest
    }

    private func overdue(_ now: Int64) -> Sequence64? {
        var first: Sequence64?
        for (sequence, batch) in inFlight where batch.deadline <= now { first = min(first ?? .max, sequence) }
        return first
    }
}
