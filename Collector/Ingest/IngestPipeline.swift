import DocumentStores
import LinuxDriver
import Logging
import ServiceLifecycle
import ServiceSupport
import Synchronization
import Telemetry
import TimeSeriesStores

/// From the broker's messages to durable stores and back to the device: queue → judge → documents → commit → acknowledge. What comes while a
/// commit runs is judged meanwhile and becomes the next group, so that a lone message is written at once and a flood in large transactions. Where
/// several groups are written at the same time, the next one may wait a little to grow.
package final class IngestPipeline: Service {
    package struct Limits: Sendable {
        package var queueMessagesMax = 20_000
        package var queueBytesMax = 64 * 1024 * 1024
        package var group = GroupLimits()
        /// Groups that are committed at the same time: more than one where the store writes for several at once.
        package var groupsInFlight = 1
        /// Documents are kept on a server of their own. While it is down samples go on being taken, and documents are not: devices send them again.
        package var isDocumentStoreApart = false

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

    /// How often a group that may wait is looked at.
    private static let growthLook: Duration = .milliseconds(2)

    private let groupsInFlight: Int
    /// Nanoseconds.
    private let growthMax: Int64
    private let underWay = Mutex(0)
    private let queue: IngestQueue
    private let judged: JudgedMessages
    private let writer: GroupWriter
    private let pacing: Pacing
    private let results: ResultTeller
    private let metrics: IngestMetrics
    private let clock: Clock
    private let logger: Logger
    private let failures = Mutex(GroupFailures())

    package init(
        store: any TimeSeriesStore, documents: any DocumentStore, receivers: Receivers, changes: LiveChanges, registry: MetricsRegistry,
        limits: Limits = Limits(), clock: Clock = .system, logger: Logger, publish: @escaping Publish
    ) {
        let queue = IngestQueue(messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax)
        self.queue = queue
        groupsInFlight = limits.groupsInFlight
        growthMax = limits.group.growthMax.components.seconds * 1_000_000_000 + limits.group.growthMax.components.attoseconds / 1_000_000_000
        judged = JudgedMessages(limits.group)
        pacing = Pacing(registry: registry, clock: clock, logger: logger)
        self.clock = clock
        self.logger = logger
        metrics = IngestMetrics(registry)
        results = ResultTeller(receivers: receivers, changes: changes, metrics: metrics, clock: clock, logger: logger, publish: publish)
        writer = GroupWriter(
            store: store, documents: documents, receivers: receivers, isDocumentStoreApart: limits.isDocumentStoreApart)
        registry.gauge("farwatch_ingest_queue_length", "Messages that wait.") { Double(queue.count) }
    }

    /// Takes a message in, from any thread, without waiting. False when the queue is full and the message was dropped.
    @discardableResult
    package func receive(topic: String, bytes: [UInt8]) -> Bool {
        let isTaken = queue.push(IngestQueue.Message(topic: topic, bytes: bytes, receivedAt: Clock.monotonicNanoseconds()))
        if !isTaken {
            metrics.dropped.add()
            pacing.dropped(topic: topic, bytes: bytes)
        }
        return isTaken
    }

    /// A connection to the broker began: what is received from here on came over it.
    package func connectionBegan() { queue.pushConnection() }

    /// Why nothing is acknowledged at present; nil when all is well.
    package var unavailableReason: String? { failures.withLock { $0.first } }

    package func run() async throws {
        await withGracefulShutdownHandler {
            async let judging: Void = judge()
            await commitJudged()
            judged.abandon()
            await judging
        } onGracefulShutdown: {
            self.queue.finish()
        }
    }

    // MARK: Judging

    @concurrent private func judge() async {
        for await _ in queue.signals { await judgeWaiting() }
        // Finished: what was taken in before is still written.
        await judgeWaiting()
        judged.finish()
    }

    private func judgeWaiting() async {
        while !judged.isAbandoned, let entry = queue.pop() {
            let hasRoom: Bool
            switch entry {
            case .connectionBegan: hasRoom = judged.add { $0.connectionBegan() }
            case .message(let message):
                let verdict = BatchCheck.judge(topic: message.topic, bytes: message.bytes, now: clock.wall())
                metrics.bytes.add(Double(message.bytes.count))
                hasRoom = judged.add { $0.add(verdict, bytes: message.bytes, receivedAt: message.receivedAt) }
            }
            guard !hasRoom else { continue }
            judged.handOver()
            await judged.waitForRoom()
        }
        judged.handOver()
    }

    // MARK: Committing

    @concurrent private func commitJudged() async {
        var limiter = NoticeLimiter()
        await withTaskGroup(of: Bool.self) { inFlight in
            var count = 0
            /// Waits until so many are left; false when one could not be written before the end.
            func wait(until left: Int) async -> Bool {
                while count > left, let isWritten = await inFlight.next() {
                    count -= 1
                    guard isWritten else { return false }
                }
                return true
            }
            for await _ in judged.ready {
                // What comes while all are busy makes the next group larger.
                while true {
                    guard await wait(until: groupsInFlight - 1) else { return }
                    await letGrow()
                    guard !Task.isCancelled, let group = judged.take() else { break }
                    guard groupsInFlight > 1, group.isSamplesAlone else {
                        // Documents and presence keep their order, and come after the samples before them.
                        guard await wait(until: 0), await commit(group, &limiter) else { return }
                        continue
                    }
                    count += 1
                    underWay.withLock { $0 += 1 }
                    inFlight.addTask {
                        defer { self.underWay.withLock { $0 -= 1 } }
                        var unused = NoticeLimiter()
                        return await self.commit(group, &unused)
                    }
                }
            }
            _ = await wait(until: 0)
        }
    }

    /// Waits while others are being written and the group is neither full nor old.
    private func letGrow() async {
        guard growthMax > 0 else { return }
        while underWay.withLock({ $0 }) > 0, let oldest = judged.oldest, !judged.isFullOrAbandoned, !queue.isFinished, !Task.isCancelled,
            Clock.monotonicNanoseconds() - oldest < growthMax
        {
            try? await Task.sleep(for: Self.growthLook)
        }
    }

    /// False when the collector ends before the group is written.
    private func commit(_ group: IngestGroup, _ limiter: inout NoticeLimiter) async -> Bool {
        guard let result = await write(group) else { return false }
        await results.tell(result, presence: group.presence.keys, pace: pacing.pace, &limiter)
        return true
    }

    /// Writes the group, again and again while a store is down; nil when the collector ends first, and then nothing was acknowledged.
    private func write(_ group: IngestGroup) async -> GroupWriter.Result? {
        var delay = Self.retryDelays.lowerBound
        var overloads = 0
        let number = failures.withLock { $0.begin() }
        while true {
            let began = Clock.monotonicNanoseconds()
            do {
                let result = try await writer.write(group, at: clock.wall(), isNarrowing: overloads >= GroupWriter.wholeTriesMax)
                let nanoseconds = Clock.monotonicNanoseconds() - began
                metrics.commitDuration.observe(Double(nanoseconds) / 1e9)
                metrics.groupSize.observe(Double(group.messages))
                if failures.withLock({ $0.succeeded(number) }) { logger.notice("the stores take batches again") }
                // Others are written in the same time.
                await observe(group, commitMilliseconds: max(1, nanoseconds / 1_000_000 / Int64(groupsInFlight)), isDown: false)
                return result
            } catch {
                if (error as? StoreError)?.reason == .overloaded { overloads += 1 }
                metrics.failures.add()
                if failures.withLock({ $0.failed(number, "\(error)") }) {
                    logger.error("a store is down; nothing is acknowledged until it is back", metadata: ["error": "\(error)"])
                }
                await observe(group, commitMilliseconds: 0, isDown: true)
            }
            guard !queue.isFinished, !Task.isCancelled else { return nil }
            try? await cancelWhenGracefulShutdown { [delay] in try await Task.sleep(for: delay) }
            delay = min(delay * 2, Self.retryDelays.upperBound)
        }
    }

    /// Tells the pace how things are, and those whose messages were dropped how fast they may go on.
    private func observe(_ group: IngestGroup, commitMilliseconds: Int64, isDown: Bool) async {
        let now = Clock.monotonicNanoseconds()
        let oldest = min(isDown ? group.oldest : .max, judged.oldest ?? .max, queue.oldest ?? .max)
        pacing.observe(
            group: group, isDown: isDown, oldestAge: oldest == .max ? 0 : max(0, now - oldest) / 1_000_000, fill: queue.fill,
            commitMilliseconds: commitMilliseconds)
        for (device, acknowledgement) in pacing.notices() { await results.send(acknowledgement, to: device) }
    }

    // MARK: Replaying

    /// Judges what was refused by today's rules, and commits it if it may come in now: once, however often this is done. Nobody is acknowledged
    /// to, the device has forgotten it.
    func replay(_ item: QuarantinedItem) async throws -> ReplayOutcome {
        var group = IngestGroup()
        group.add(BatchCheck.judge(topic: Topic.up(item.device), bytes: item.bytes, now: clock.wall()), bytes: item.bytes)
        let result = try await writer.write(group, at: clock.wall(), isReplay: true)
        await results.announce(result, presence: [])
        if let refused = result.refused.first { return .refused(refused.refusal) }
        guard let settled = result.settled.first else { return .refused(Refusal(.notDocument, "it is no batch")) }
        results.count(settled)
        switch settled.outcome {
        case .committed: return .committed(samples: settled.samples)
        case .duplicate: return .duplicate
        case .refused(let refusal): return .refused(refusal)
        }
    }
}
