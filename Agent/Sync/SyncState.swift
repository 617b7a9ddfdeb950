import LinuxDriver
import Telemetry

/// What decides which batch goes when: two lanes with room of their own, a window, time-outs, budgets. A value with no clock, no I/O and no
/// randomness in it; `Delivery` drives it. Times are milliseconds on the boot clock.
///
/// *Live* is what is sealed while connected, sent at once and in order. *Backlog* is the rest: first documents and events, then samples, each
/// from the newest to the oldest. When the collector does not answer at all, everything on its way becomes backlog again and single batches
/// probe for it.
package struct SyncState: Sendable {
    /// The two parts of the backlog. Reports (documents and events, receipts among them) are few and should not wait weeks behind samples.
    package enum BacklogPart: Sendable { case reports, samples }

    /// What is to be fetched from the buffer and sent next.
    package enum Want: Equatable, Sendable {
        /// This batch, as it is live or its acknowledgement is overdue.
        case exactly(Sequence64)
        /// The newest batch of that part that is older than this one.
        case newest(below: Sequence64, BacklogPart)
    }

    private struct InFlight {
        let lane: SyncBudgets.Lane
        let bytes: Int
        var attempts: Int
        var sentAt: Int64
        /// When it is overdue.
        var deadline: Int64
        /// The broker has it.
        var isDelivered = false
        /// Its time is over: it is to be sent again.
        var isDue = false
    }

    /// The collector has not answered for a time-out.
    private struct Silence {
        var backoff = Backoff(base: SyncLimits.probeDelayBase, cap: SyncLimits.probeDelayMax)
        var probeAt: Int64 = 0
    }

    package let limits: SyncLimits
    private var inFlight: [Sequence64: InFlight] = [:]
    private var batchesIn = LaneSums()
    private var bytesIn = LaneSums()
    /// Publishes that the broker has not confirmed, and how many it allows.
    private var unconfirmed = 0
    private var transportMax = 1
    private var isConnected = false
    private var nextLive: Sequence64 = 1
    private var newest: Sequence64 = 0
    /// Below these everything of the part may still have to be sent; 0 when it has been gone through.
    private var reportsBelow: Sequence64 = 0
    private var samplesBelow: Sequence64 = 0
    private var window: SendWindow
    private var budgets: SyncBudgets
    private var hasBegun = false
    private var silence: Silence?
    /// How long an acknowledgement may take at present.
    private var timeout: Int64
    private var lastAnswer: Int64 = .min
    /// Times that the collector was found silent since it last answered on this connection.
    private var silences = 0
    /// When it was the first time.
    private var silentSince: Int64 = 0
    /// What was sent since the start, for the count of what went again.
    private var everSent = SequenceRanges()
    private var resent: UInt64 = 0

    package init(limits: SyncLimits = SyncLimits()) {
        self.limits = limits
        window = SendWindow(bytesMax: limits.backlogBytesMax)
        budgets = SyncBudgets(limits)
        timeout = limits.acknowledgeTimeout
    }

    package var unacknowledged: Int { inFlight.count }
    /// Whether the broker has taken batches on this connection for several time-outs, and no collector has answered any.
    package func isUnanswered(now: Int64) -> Bool { silences >= SyncLimits.silencesMax && now - silentSince >= SyncLimits.silenceMax }
    /// Whether everything that was sealed has been sent and acknowledged, as far as this connection knows.
    package var isDrained: Bool { inFlight.isEmpty && !hasBacklog && nextLive > newest }
    private var hasBacklog: Bool { reportsBelow > 0 || samplesBelow > 0 }

    // MARK: The connection

    /// A connection is up and acknowledgements are subscribed to; the buffer's newest sequence is `newest`, and the broker takes
    /// `transportBatches` publishes before it has confirmed one.
    package mutating func connected(newest: Sequence64, transportBatches: Int, now: Int64) {
        if !hasBegun { budgets.begin(now: now) }
        hasBegun = true
        isConnected = true
        transportMax = max(1, transportBatches)
        silence = nil
        silences = 0
        timeout = limits.acknowledgeTimeout
        window.connected()
        self.newest = newest
        beginBacklogAnew()
    }

    package mutating func disconnected() {
        isConnected = false
        clearInFlight()
    }

    package mutating func sealed(_ sequence: Sequence64) { newest = max(newest, sequence) }

    /// Nothing is on its way; all that the buffer holds is backlog.
    private mutating func beginBacklogAnew() {
        clearInFlight()
        nextLive = newest + 1
        reportsBelow = newest + 1
        samplesBelow = newest + 1
    }

    private mutating func clearInFlight() {
        inFlight.removeAll(keepingCapacity: true)
        batchesIn = LaneSums()
        bytesIn = LaneSums()
        unconfirmed = 0
    }

    // MARK: Sending

    /// Whether a batch that was found for the backlog is on its way already.
    package func isOnItsWay(_ sequence: Sequence64) -> Bool { inFlight[sequence] != nil }

    /// `want` was found and sent as this batch. `bytes` is what the message takes on the link.
    package mutating func sent(_ sequence: Sequence64, for want: Want, bytes: Int, now: Int64) {
        let lane: SyncBudgets.Lane
        noteSent(sequence)
        if let before = inFlight[sequence] {
            lane = before.lane
            if before.isDelivered { unconfirmed += 1 }
            inFlight[sequence]?.isDelivered = false
        } else {
            lane = if case .exactly = want { .live } else { .backlog }
            inFlight[sequence] = InFlight(lane: lane, bytes: bytes, attempts: 0, sentAt: now, deadline: 0)
            batchesIn.add(1, lane)
            bytesIn.add(bytes, lane)
            unconfirmed += 1
        }
        inFlight[sequence]?.attempts += 1
        inFlight[sequence]?.sentAt = now
        inFlight[sequence]?.deadline = now + limits.acknowledgeTimeoutMax
        inFlight[sequence]?.isDue = false
        budgets.sent(bytes, in: lane, now: now)
        pass(want, reached: sequence)
    }

    private mutating func noteSent(_ sequence: Sequence64) {
        if !everSent.insert(sequence) { resent += 1 }
        // With more gaps than a device makes the oldest are let go: the count is a little low then.
        if everSent.ranges.count > SyncLimits.sentRangesMax, let oldest = everSent.ranges.first { everSent.remove(oldest) }
    }

    /// `want` was found as this batch, which is on its way already.
    package mutating func skipped(_ sequence: Sequence64, for want: Want) { pass(want, reached: sequence) }

    /// `want` is not in the buffer: acknowledged meanwhile, or evicted; or there is no older batch.
    package mutating func missing(_ want: Want) {
        if case .exactly(let sequence) = want { remove(sequence) }
        pass(want, reached: 0)
    }

    private mutating func pass(_ want: Want, reached sequence: Sequence64) {
        switch want {
        case .exactly(let live): if live == nextLive { nextLive += 1 }
        case .newest(_, .reports): reportsBelow = sequence
        case .newest(_, .samples): samplesBelow = sequence
        }
    }

    @discardableResult
    private mutating func remove(_ sequence: Sequence64) -> InFlight? {
        guard let gone = inFlight.removeValue(forKey: sequence) else { return nil }
        batchesIn.add(-1, gone.lane)
        bytesIn.add(-gone.bytes, gone.lane)
        if !gone.isDelivered { unconfirmed -= 1 }
        return gone
    }

    // MARK: Answers

    /// The broker has confirmed the batch: from now on it is the collector's turn. `jitter` is a random number.
    package mutating func delivered(_ sequence: Sequence64, now: Int64, jitter: UInt64) {
        guard let batch = inFlight[sequence], !batch.isDelivered else { return }
        unconfirmed -= 1
        inFlight[sequence]?.isDelivered = true
        // The first time-out is the plain one; later ones are spread over their whole growing range.
        let bound = min(limits.acknowledgeTimeoutMax, timeout << Int64(min(batch.attempts - 1, 16)))
        let spread = batch.attempts == 1 ? 0 : Int64(jitter % UInt64(bound + 1))
        inFlight[sequence]?.deadline = now + timeout + spread
    }

    /// The broker will not pass the batch on: nobody is subscribed to it, or it has no room.
    package mutating func undelivered(_ sequence: Sequence64, now: Int64, jitter: UInt64) {
        if inFlight[sequence] != nil { fallSilent(now: now, jitter: jitter) }
    }

    /// The collector is done with these.
    package mutating func acknowledged(_ run: Acknowledgement.Run, now: Int64) {
        lastAnswer = now
        silence = nil
        silences = 0
        // In order, so that the same answers always make the same window.
        for sequence in inFlight.keys.filter({ $0 >= run.first && $0 <= run.last }).sorted() { answered(sequence, now: now) }
    }

    private mutating func answered(_ sequence: Sequence64, now: Int64) {
        let wasLimiting = bytesIn.backlog * 2 >= window.bytes
        // An acknowledgement of a batch that went twice may be of either.
        guard let done = remove(sequence), done.attempts == 1 else { return }
        let roundTrip = max(0, now - done.sentAt)
        window.acknowledged(bytes: done.bytes, roundTrip: roundTrip, wasLimiting: wasLimiting && done.lane == .backlog, now: now)
        timeout = min(limits.acknowledgeTimeoutMax, max(limits.acknowledgeTimeout, roundTrip * SyncLimits.timeoutRoundTrips))
    }

    /// The collector asks for a pace of its own for the backlog.
    package mutating func paced(_ bytesPerSecond: Int, now: Int64) { budgets.paced(bytesPerSecond, now: now) }

    // MARK: Time

    /// Looks at what is overdue. A batch that is, although others were answered after it had gone, was lost and is sent again. When nothing has
    /// been answered since, the collector is silent. `jitter` is a random number.
    package mutating func expire(now: Int64, jitter: UInt64) {
        var isSilent = false
        var isLost = false
        for (sequence, batch) in inFlight where !batch.isDue && batch.deadline <= now {
            if lastAnswer < batch.sentAt { isSilent = true }
            isLost = true
            inFlight[sequence]?.isDue = true
        }
        if isSilent { fallSilent(now: now, jitter: jitter) } else if isLost { window.lost(now: now) }
    }

    private mutating func fallSilent(now: Int64, jitter: UInt64) {
        timeout = min(limits.acknowledgeTimeoutMax, timeout * 2)
        if silences == 0 { silentSince = now }
        silences += 1
        if silence == nil { window.fellSilent() }
        var silence = self.silence ?? Silence()
        silence.probeAt = now + silence.backoff.next(random: jitter)
        self.silence = silence
        beginBacklogAnew()
    }

    // MARK: Decisions

    /// What to send now; nil when nothing may or need be sent. Answer with `sent`, `skipped` or `missing` before asking again.
    package func next(now: Int64) -> Want? {
        guard isConnected else { return nil }
        let due = firstDue()
        if budgets.ready(.live, now: now) <= now {
            if let live = due.live { return .exactly(live) }
            if hasRoomForLive { return .exactly(nextLive) }
        }
        guard (due.backlog != nil || hasRoomForBacklog), backlogReady(now) <= now else { return nil }
        if let overdue = due.backlog { return .exactly(overdue) }
        return reportsBelow > 0 ? .newest(below: reportsBelow, .reports) : .newest(below: samplesBelow, .samples)
    }

    /// When `next` or `expire` may have something to say without any other event.
    package func wakeUp(now: Int64) -> Int64? {
        guard isConnected else { return nil }
        var earliest: Int64 = .max
        for batch in inFlight.values where !batch.isDue { earliest = min(earliest, batch.deadline) }
        let due = firstDue()
        if due.live != nil || hasRoomForLive { earliest = min(earliest, budgets.ready(.live, now: now)) }
        if due.backlog != nil || hasRoomForBacklog { earliest = min(earliest, backlogReady(now)) }
        return earliest == .max ? nil : earliest
    }

    private var hasRoomForLive: Bool {
        nextLive <= newest && batchesIn.live < limits.liveBatchesMax && (batchesIn.live == 0 || bytesIn.live < limits.liveBytesMax)
    }

    private var hasRoomForBacklog: Bool {
        guard hasBacklog else { return false }
        if silence != nil { return batchesIn.backlog == 0 }
        // What the library has to queue stands in front of what is sealed next.
        let transport = max(1, transportMax - SyncLimits.transportReserve)
        return batchesIn.backlog < limits.backlogBatchesMax && unconfirmed < transport
            && (batchesIn.backlog == 0 || bytesIn.backlog < window.bytes)
    }

    private func backlogReady(_ now: Int64) -> Int64 { max(silence?.probeAt ?? now, budgets.ready(.backlog, now: now)) }

    /// The oldest batch of each lane that is to be sent again.
    private func firstDue() -> (live: Sequence64?, backlog: Sequence64?) {
        var live: Sequence64?
        var backlog: Sequence64?
        for (sequence, batch) in inFlight where batch.isDue {
            switch batch.lane {
            case .live: live = min(live ?? .max, sequence)
            case .backlog: backlog = min(backlog ?? .max, sequence)
            }
        }
        return (live, backlog)
    }

    // MARK: For the status

    package func status(now: Int64) -> SyncStatus {
        SyncStatus(
            liveInFlight: batchesIn.live, backlogInFlight: batchesIn.backlog, bytesInFlight: bytesIn.live + bytesIn.backlog,
            hasBacklog: isConnected && hasBacklog, isCollectorSilent: silence != nil, isUnanswered: isUnanswered(now: now), windowBytes: window.bytes,
            shortestRoundTrip: window.shortestRoundTrip, pace: budgets.pace(now: now), backlogBytesPerSecond: limits.backlogBytesPerSecond,
            bytesPerHour: limits.bytesPerHour, hourlyLeft: budgets.hourlyLeft(now: now), batchesResent: resent)
    }
}

/// A number for each lane.
private struct LaneSums {
    private(set) var live = 0
    private(set) var backlog = 0

    mutating func add(_ amount: Int, _ lane: SyncBudgets.Lane) { if lane == .live { live += amount } else { backlog += amount } }
}
