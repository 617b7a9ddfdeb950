import DocumentStores
import LinuxDriver
import Logging
import ServiceLifecycle
import ServiceSupport
import Synchronization
import Telemetry
import TimeSeriesStores

/// From the broker's messages to durable stores and back to the device: queue → judge → documents → commit → acknowledge. What waits while a
/// commit runs becomes the next group, so that a lone message is written at once and a flood in large transactions, without any timer.
package final class IngestPipeline: Service {
    package struct Limits: Sendable {
        package var queueMessagesMax = 20_000
        package var queueBytesMax = 64 * 1024 * 1024
        package var group = GroupLimits()

        package init() {}
    }

    /// The services that are told of what comes.
    package struct Receivers: Sendable {
        package var documents: [any DocumentReceiver] = []
        package var presence: [any PresenceReceiver] = []
        package var commits: [any CommitReceiver] = []

        package init(
            documents: [any DocumentReceiver] = [], presence: [any PresenceReceiver] = [], commits: [any CommitReceiver] = []
        ) {
            self.documents = documents
            self.presence = presence
            self.commits = commits
        }
    }

    package typealias Publish = @Sendable (_ topic: String, _ bytes: [UInt8]) async -> Void

    /// How long to wait after a failed attempt: doubling between these.
    private static let retryDelays: ClosedRange<Duration> = .milliseconds(100)...(.seconds(5))

    private let queue: IngestQueue
    private let limits: Limits
    private let writer: GroupWriter
    private let changes: LiveChanges
    private let receivers: Receivers
    private let metrics: IngestMetrics
    private let clock: Clock
    private let logger: Logger
    private let publish: Publish
    private let failure = Mutex<String?>(nil)

    package init(
        store: any TimeSeriesStore, documents: any DocumentStore, receivers: Receivers, changes: LiveChanges, registry: MetricsRegistry,
        limits: Limits = Limits(), clock: Clock = .system, logger: Logger, publish: @escaping Publish
    ) {
        let queue = IngestQueue(messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax)
        self.queue = queue
        self.limits = limits
        self.changes = changes
        self.receivers = receivers
        self.clock = clock
        self.logger = logger
        self.publish = publish
        metrics = IngestMetrics(registry)
        writer = GroupWriter(store: store, documents: documents, receivers: receivers)
        registry.gauge("farwatch_ingest_queue_length", "Messages that wait.") { Double(queue.count) }
    }

    /// Takes a message in, from any thread, without waiting. False when the queue is full and the message was dropped.
    @discardableResult
    package func receive(topic: String, bytes: [UInt8]) -> Bool {
        let isTaken = queue.push(IngestQueue.Message(topic: topic, bytes: bytes))
        if !isTaken { metrics.dropped.add() }
        return isTaken
    }

    /// Why nothing is acknowledged at present; nil when all is well.
    package var unavailableReason: String? { failure.withLock { $0 } }

    package func run() async throws {
        var limiter = NoticeLimiter()
        await withGracefulShutdownHandler {
            for await _ in queue.signals { await drain(&limiter) }
            // Finished: what was taken in before is still written.
            await drain(&limiter)
        } onGracefulShutdown: {
            self.queue.finish()
        }
    }

    private func drain(_ limiter: inout NoticeLimiter) async {
        while !Task.isCancelled {
            let group = nextGroup()
            if group.isEmpty { return }
            guard let result = await write(group) else { return }
            await settle(group, result, &limiter)
        }
    }

    private func nextGroup() -> IngestGroup {
        var group = IngestGroup()
        let now = clock.wall()
        while !group.isFull(limits.group), let message = queue.pop() {
            group.add(BatchCheck.judge(topic: message.topic, bytes: message.bytes, now: now), bytes: message.bytes)
        }
        metrics.bytes.add(Double(group.bytes))
        return group
    }

    /// Writes the group, again and again while a store is down; nil when the collector ends first, and then nothing was acknowledged.
    private func write(_ group: IngestGroup) async -> GroupWriter.Result? {
        var delay = Self.retryDelays.lowerBound
        while true {
            do {
                let began = Clock.monotonicNanoseconds()
                let result = try await writer.write(group, at: clock.wall())
                metrics.commitDuration.observe(Double(Clock.monotonicNanoseconds() - began) / 1e9)
                metrics.groupSize.observe(Double(group.messages))
                if failure.withLock({ $0.take() }) != nil { logger.notice("the stores take batches again") }
                return result
            } catch {
                metrics.failures.add()
                if failure.withLock({ $0.replace(with: "\(error)") }) == nil {
                    logger.error("a store is down; nothing is acknowledged until it is back", metadata: ["error": "\(error)"])
                }
            }
            guard !queue.isFinished, !Task.isCancelled else { return nil }
            try? await cancelWhenGracefulShutdown { [delay] in try await Task.sleep(for: delay) }
            delay = min(delay * 2, Self.retryDelays.upperBound)
        }
    }

    /// Tells everybody of what is durable now: the devices first.
    private func settle(_ group: IngestGroup, _ result: GroupWriter.Result, _ limiter: inout NoticeLimiter) async {
        var merger = AcknowledgementMerger()
        for settled in result.settled {
            let batch = settled.batch
            metrics.batches.add(1, batch.kind.name, settled.outcome.name)
            metrics.samples.add(Double(settled.samples))
            merger.add(batch.device, batch.stream, batch.sequence, settled.outcome.acknowledged)
        }
        for refused in result.refused {
            metrics.refused.add(1, refused.refusal.reason.name)
            await tell(refused, &merger, &limiter)
        }
        for (device, acknowledgement) in merger.messages() {
            metrics.acknowledgements.add()
            await publish(Topic.ack(device), acknowledgement.encoded())
        }
        if !result.activity.isEmpty { for receiver in receivers.commits { await receiver.committed(result.activity) } }
        let changed = Set(result.activity.keys).union(group.presence.keys)
        if !changed.isEmpty { changes.mark(changed) }
    }

    private func tell(_ refused: IngestGroup.Refused, _ merger: inout AcknowledgementMerger, _ limiter: inout NoticeLimiter) async {
        // One notice and one line of log in a while: a flood of noise must not become two.
        let mayTell = limiter.mayTell(refused.device, at: clock.boot())
        if mayTell {
            logger.warning("a message was refused", metadata: ["device": "\(refused.device)", "reason": "\(refused.refusal)"])
        }
        if let batch = refused.batch {
            merger.add(refused.device, batch.stream, batch.sequence, .refused(reason: refused.refusal.description))
        } else if mayTell {
            metrics.acknowledgements.add()
            await publish(Topic.ack(refused.device), Acknowledgement.unreadable(refused.refusal.description).encoded())
        }
    }
}

extension Optional {
    /// Puts a value in and gives back what was there.
    fileprivate mutating func replace(with value: Wrapped) -> Wrapped? {
        let before = self
        self = value
        return before
    }
}
