import CollectorFixtures
import CollectorIngest
import DocumentStores
import LinuxDriver
import Logging
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores

/// A pipeline with everything around it, running as long as the body does.
struct IngestBench {
    let pipeline: IngestPipeline
    let store: FragileStore
    let documents: EmbeddedDocumentStore
    let listener = Listener()
    let changes = LiveChanges()
    let registry = MetricsRegistry()
    let wall = Changeable(SampleBatches.start + 3_600_000)
    let published = Changeable<[(topic: String, acknowledgement: Acknowledgement?)]>([])

    init(_ directory: String, limits: IngestPipeline.Limits = IngestPipeline.Limits()) throws {
        store = try FragileStore(directory)
        documents = try EmbeddedDocumentStore(directory: directory)
        let clock = Clock(wall: { [wall] in wall.value }, boot: { 1_000 })
        pipeline = IngestPipeline(
            store: store, documents: documents,
            receivers: IngestPipeline.Receivers(documents: [listener], presence: [listener], commits: [listener]), changes: changes,
            registry: registry, limits: limits, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { [published] topic, bytes in
            published.change { $0.append((topic, try? Acknowledgement(decoding: bytes))) }
        }
    }

    func send(_ batch: Batch) { pipeline.receive(topic: Topic.up(batch.device), bytes: batch.encoded()) }

    func running(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pipeline.run() }
            try await body()
            group.cancelAll()
        }
    }

    func until(_ isTrue: () async throws -> Bool) async throws {
        for _ in 0..<1_000 {
            if try await isTrue() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("waited in vain")
    }

    /// Runs of all acknowledgements so far.
    var runs: [Acknowledgement.Run] { published.value.flatMap { $0.acknowledgement?.runs ?? [] } }
}
