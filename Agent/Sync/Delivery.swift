import AgentBuffer
import LinuxDriver
import Telemetry

/// Between a queue and a connection: fetches what `SyncState` wants, marks it sent, publishes it, and has the queue forget what the collector
/// is done with. Knows no MQTT and no loop; its owner hands it what comes and calls it at `wakeUp`.
package final class Delivery<Queue: DeliveryQueue> {
    /// Hands a batch to the connection, which gives it a number, or nil when it could not be taken.
    package typealias Publish = ([UInt8]) -> Int32?

    package let queue: Queue
    package private(set) var isConnected = false
    package private(set) var counts = DeliveryCounts()

    private let clock: Clock
    private let random: () -> UInt64
    /// What a message takes on the link beside the batch, in bytes.
    private let overheadBytes: Int
    private var state: SyncState
    private var publish: Publish?
    private var report: ((DeliveryReport) -> Void)?
    /// The batches of messages that the broker has not confirmed.
    private var messages: [Int32: Sequence64] = [:]
    private var wasDrained = true
    private var hasToldUnanswered = false

    package init(
        _ queue: Queue, limits: SyncLimits = SyncLimits(), overheadBytes: Int = 0, clock: Clock = .system,
        random: @escaping () -> UInt64 = Random.uint64
    ) {
        self.queue = queue
        self.clock = clock
        self.random = random
        self.overheadBytes = overheadBytes
        state = SyncState(limits: limits)
    }

    package func start(publish: @escaping Publish, _ report: @escaping (DeliveryReport) -> Void) {
        self.publish = publish
        self.report = report
    }

    package func stop() {
        disconnected()
        publish = nil
        report = nil
    }

    /// Whether the collector has acknowledged everything that was sealed.
    package var isDrained: Bool { isConnected && state.isDrained }
    /// Batches that are on their way now.
    package var unacknowledged: Int { state.unacknowledged }
    package var status: SyncStatus { state.status(now: clock.boot()) }
    /// When to call `pump` if nothing else comes: milliseconds on the boot clock.
    package var wakeUp: Int64? { isConnected ? state.wakeUp(now: clock.boot()) : nil }

    // MARK: What comes

    /// A connection is up and acknowledgements are subscribed to. What waits unsealed is sealed at once and goes first, whatever the backlog.
    /// `transportBatches`: publishes that the broker takes before it has confirmed one.
    package func connected(transportBatches: Int) {
        messages.removeAll()
        state.connected(newest: queue.newestSequence, transportBatches: transportBatches, now: clock.boot())
        isConnected = true
        wasDrained = false
        do throws(BufferError) { _ = try queue.seal(goingOut: true) } catch { tell(error) }
        report?(.connected)
        pump()
    }

    package func disconnected() {
        isConnected = false
        messages.removeAll()
        state.disconnected()
    }

    /// The broker has answered for a message; `refusal` is why it did not take it, or that nobody is subscribed to it.
    package func confirmed(_ message: Int32, refusal: String?) {
        guard let sequence = messages.removeValue(forKey: message) else { return }
        if let refusal {
            counts.refusal = refusal
            state.undelivered(sequence, now: clock.boot(), jitter: random())
        } else {
            state.delivered(sequence, now: clock.boot(), jitter: random())
        }
        pump()
    }

    /// A message came on the device's `ack` topic.
    package func received(_ payload: [UInt8]) {
        do throws(DecodingError) {
            take(try Acknowledgement(decoding: payload))
        } catch {
            report?(.failed("an acknowledgement could not be read: " + error.description))
        }
        pump()
    }

    private func take(_ acknowledgement: Acknowledgement) {
        if let pace = acknowledgement.pace { state.paced(pace, now: clock.boot()) }
        if acknowledgement.stream == Acknowledgement.unreadableStream {
            if let run = acknowledgement.runs.first, case .refused(let reason) = run.outcome { report?(.unreadable(reason: reason)) }
        } else if acknowledgement.stream == queue.stream {
            for run in acknowledgement.runs where run.first <= queue.newestSequence { forget(run) }
        }
    }

    /// What was never sealed cannot be acknowledged: of a run that goes on beyond it only the part up to there counts.
    private func forget(_ run: Acknowledgement.Run) {
        var run = run
        if run.last > queue.newestSequence { run = .init(first: run.first, count: queue.newestSequence - run.first + 1, outcome: run.outcome) }
        let known: Int
        do throws(BufferError) {
            known = try queue.forget(run, of: queue.stream)
        } catch {
            // It stays in the buffer, is sent again, and acknowledged again.
            return tell(error)
        }
        state.acknowledged(run, now: clock.boot())
        hasToldUnanswered = false
        guard known > 0 else { return }
        if case .refused(let reason) = run.outcome { report?(.refused(run, reason: reason)) }
        counts.refusal = nil
        counts.batchesAcknowledged += UInt64(known)
        counts.lastAcknowledgedAt = clock.wall()
        report?(.acknowledged(batches: UInt64(known)))
    }

    // MARK: Sending

    /// Sends what may be sent now.
    package func pump() {
        guard isConnected else { return }
        // The buffer may have sealed something by itself: a receipt, an event.
        state.sealed(queue.newestSequence)
        state.expire(now: clock.boot(), jitter: random())
        while isConnected, let want = state.next(now: clock.boot()) {
            do throws(BufferError) {
                guard try send(want) else { break }
            } catch {
                tell(error)
                break
            }
        }
        tellUnanswered()
        let drained = isDrained
        if drained && !wasDrained { report?(.drained) }
        wasDrained = drained
    }

    /// Says once, until something is acknowledged, that nobody answers.
    private func tellUnanswered() {
        guard !hasToldUnanswered, state.isUnanswered(now: clock.boot()) else { return }
        hasToldUnanswered = true
        report?(.unanswered)
    }

    /// False when the connection takes no more.
    private func send(_ want: SyncState.Want) throws(BufferError) -> Bool {
        guard let (sequence, found) = try fetch(want) else {
            state.missing(want)
            return true
        }
        if case .newest = want, state.isOnItsWay(sequence) {
            state.skipped(sequence, for: want)
            return true
        }
        // Room for the mark may have been made at the cost of this very batch: what goes out is what is there under the mark.
        guard let bytes = try queue.markSent(sequence) ? try queue.batch(sequence) : found else {
            if case .newest = want { state.skipped(sequence, for: want) } else { state.missing(want) }
            return true
        }
        guard let publish, let message = publish(bytes) else { return false }
        messages[message] = sequence
        counts.batchesSent += 1
        counts.bytesSent += UInt64(bytes.count)
        state.sent(sequence, for: want, bytes: bytes.count + overheadBytes, now: clock.boot())
        return true
    }

    private func fetch(_ want: SyncState.Want) throws(BufferError) -> (Sequence64, [UInt8])? {
        switch want {
        case .exactly(let sequence): return try queue.batch(sequence).map { (sequence, $0) }
        case .newest(let bound, let part): return try queue.newestBatch(below: bound, priority: part.priority)
        }
    }

    private func tell(_ error: BufferError) { report?(error.reason == .damaged ? .damaged(error.description) : .failed(error.description)) }
}

/// What the owner may want to log or count.
package enum DeliveryReport {
    case connected
    case disconnected(reason: String, retryIn: Int64)
    case refused(Acknowledgement.Run, reason: String)
    case unreadable(reason: String)
    case acknowledged(batches: UInt64)
    case drained
    /// The broker takes batches, but several time-outs have passed without any acknowledgement.
    case unanswered
    case failed(String)
    /// The buffer's file turned out to be damaged.
    case damaged(String)
}

/// Since the start.
package struct DeliveryCounts: Sendable {
    package var batchesAcknowledged: UInt64 = 0
    /// Those that went again count again.
    package var batchesSent: UInt64 = 0
    package var bytesSent: UInt64 = 0
    /// When the last acknowledgement came: UTC, milliseconds since 1970.
    package var lastAcknowledgedAt: Int64?
    /// Why the broker did not pass on the last message that it did not; nil once something was acknowledged.
    package var refusal: String?
}
