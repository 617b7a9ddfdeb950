import CollectorFixtures
import CollectorIngest
import DocumentStores
import LinuxDriver
import Logging
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores

/// A store that can be told to be down.
private final class FragileStore: TimeSeriesStore {
    let store: EmbeddedTimeSeriesStore
    let isDown = Changeable(false)
    let attempts = Changeable(0)

    init(_ directory: String) throws { store = try EmbeddedTimeSeriesStore(directory: directory) }

    func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome] {
        attempts.change { $0 += 1 }
        if isDown.value { throw StoreError(.unavailable, operation: "commit", path: "test", detail: "down") }
        return try await store.commit(group)
    }
    func taken(device: DeviceId, stream: StreamId) async throws -> TakenSequences { try await store.taken(device: device, stream: stream) }
    func series(of device: DeviceId) async throws -> [Series] { try await store.series(of: device) }
    func range(_ query: RangeQuery) async throws -> [AggregatedSeries] { try await store.range(query) }
    func latest(of device: DeviceId) async throws -> Tick? { try await store.latest(of: device) }
    func sampleCount(of device: DeviceId) async throws -> Int64 { try await store.sampleCount(of: device) }
    func statistics() async throws -> TimeSeriesStatistics { try await store.statistics() }
    func quarantine(_ items: [QuarantinedItem]) async throws { try await store.quarantine(items) }
    func coverage(of device: DeviceId, from: Int64, to: Int64) async throws -> DeviceCoverage {
        try await store.coverage(of: device, from: from, to: to)
    }
    func devicesChangedByOthers() async throws -> Set<DeviceId> { try await store.devicesChangedByOthers() }
    func quarantined(_ query: QuarantineQuery) async throws -> [QuarantinedItem] { try await store.quarantined(query) }
    func quarantined(id: Int64) async throws -> QuarantinedItem? { try await store.quarantined(id: id) }
    func setQuarantineReason(of id: Int64, _ reason: String) async throws { try await store.setQuarantineReason(of: id, reason) }
    func removeQuarantined(id: Int64) async throws -> Bool { try await store.removeQuarantined(id: id) }
}

/// Takes everything in, and keeps what it was told.
private final class Listener: DocumentReceiver, PresenceReceiver, CommitReceiver {
    let told = Changeable<[String]>([])
    let documentTypes: Set<String> = ["good", "bad"]

    func receive(_ document: ReceivedDocument) async throws {
        if document.type == "bad" { throw Refusal(.badDocument, "says so") }
        told.change { $0.append("document \(document.type)") }
    }
    func presenceChanged(_ isOnline: [DeviceId: Bool], at: Int64) async throws {
        told.change { told in for (device, isOnline) in isOnline { told.append("\(device) \(isOnline)") } }
    }
    func presenceBegan(at: Int64) async { told.change { $0.append("connected") } }
    func committed(_ activity: [DeviceId: DeviceActivity]) async {
        told.change { told in for (device, activity) in activity { told.append("committed \(device) \(activity.newest?.at ?? 0)") } }
    }
}

@Suite struct IngestPipelineTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let up = Topic.up(SampleBatches.device())

    /// A pipeline with everything around it, running as long as the body does.
    private struct Bench {
        let pipeline: IngestPipeline
        let store: FragileStore
        let documents: EmbeddedDocumentStore
        let listener = Listener()
        let changes = LiveChanges()
        let registry = MetricsRegistry()
        let published = Changeable<[(topic: String, acknowledgement: Acknowledgement?)]>([])

        init(_ directory: String, limits: IngestPipeline.Limits = IngestPipeline.Limits()) throws {
            store = try FragileStore(directory)
            documents = try EmbeddedDocumentStore(directory: directory)
            let clock = Clock(wall: { SampleBatches.start + 3_600_000 }, boot: { 1_000 })
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

    @Test func `what is committed is acknowledged, a duplicate too`() async throws {
        let bench = try Bench(scratch.path)
        for sequence in [1, 2, 3, 2] as [UInt64] { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running {
            try await bench.until { !bench.published.value.isEmpty }
            bench.send(SampleBatches.samples(3))
            try await bench.until { bench.published.value.count == 2 }
        }
        #expect(bench.runs == [Acknowledgement.Run(first: 1, count: 3), Acknowledgement.Run(first: 3)])
        #expect(bench.published.value.allSatisfy { $0.topic == Topic.ack(device) && $0.acknowledgement?.stream == SampleBatches.stream })
        #expect(try await bench.store.sampleCount(of: device) == 45)
        #expect(bench.changes.devices(after: 0).devices == [device])
        #expect(bench.listener.told.value.first == "committed edge-1 \(SampleBatches.start + 9_000)")
        let metrics = bench.registry.render()
        #expect(metrics.contains("farwatch_ingest_batches_total{kind=\"samples\",outcome=\"duplicate\"} 2\n"))
        #expect(metrics.contains("farwatch_ingest_samples_total 45\n"))
        #expect(metrics.contains("farwatch_ingest_group_messages_count 2\n"))
    }

    @Test func `while a store is down nothing is acknowledged, and work resumes by itself`() async throws {
        let bench = try Bench(scratch.path)
        bench.store.isDown.value = true
        try await bench.running {
            bench.send(SampleBatches.samples(1))
            try await bench.until { bench.pipeline.unavailableReason != nil && bench.store.attempts.value >= 2 }
            #expect(bench.published.value.isEmpty)
            bench.store.isDown.value = false
            try await bench.until { bench.pipeline.unavailableReason == nil && !bench.published.value.isEmpty }
        }
        #expect(bench.runs == [Acknowledgement.Run(first: 1)])
    }

    @Test func `what is refused is acknowledged as such, kept and counted, and blocks nothing`() async throws {
        let bench = try Bench(scratch.path)
        var broken = SampleBatches.samples(1)
        broken.payload = [0xFF]
        bench.send(broken)
        bench.send(SampleBatches.document("{\"type\":\"unheard_of\"}", 2))
        bench.send(SampleBatches.document("{\"type\":\"bad\"}", 3))
        bench.pipeline.receive(topic: up, bytes: SampleBatches.samples(4, device: "edge-2").encoded())
        bench.send(SampleBatches.samples(5))
        try await bench.running { try await bench.until { !bench.published.value.isEmpty } }
        let reasons = bench.runs.map { run -> String in
            guard case .refused(let reason) = run.outcome else { return "committed" }
            return String(reason.prefix { $0 != ":" })
        }
        #expect(reasons == ["unknown_version", "unknown_type", "bad_document", "foreign_device", "committed"])
        #expect(try await bench.store.quarantined(QuarantineQuery()).count == 4)
        #expect(bench.registry.render().contains("farwatch_ingest_refused_total{reason=\"foreign_device\"} 1\n"))
    }

    @Test func `unreadable messages are answered once a second, and all kept`() async throws {
        let bench = try Bench(scratch.path)
        for _ in 0..<5 { bench.pipeline.receive(topic: up, bytes: [1, 2, 3]) }
        try await bench.running { try await bench.until { try await bench.store.quarantined(QuarantineQuery()).count == 5 && !bench.runs.isEmpty } }
        #expect(bench.published.value.count == 1)
        #expect(bench.published.value.first?.acknowledgement?.stream == Acknowledgement.unreadableStream)
    }

    @Test func `documents reach their service and events their collection, before they are acknowledged`() async throws {
        let bench = try Bench(scratch.path)
        bench.send(SampleBatches.document("{\"type\":\"good\"}", 1))
        bench.send(SampleBatches.document("{\"type\":\"eviction\",\"lost\":3}", 2, kind: .event))
        bench.send(SampleBatches.document("{\"type\":\"eviction\",\"lost\":3}", 2, kind: .event))
        bench.pipeline.receive(topic: Topic.status(device), bytes: Array("online".utf8))
        try await bench.running { try await bench.until { !bench.published.value.isEmpty && !bench.changes.devices(after: 0).devices.isEmpty } }
        #expect(bench.listener.told.value.prefix(2) == ["document good", "edge-1 true"])
        let events = try await bench.documents.find(DocumentQuery(), in: .events)
        #expect(events.count == 1)
        #expect(events[0]["type"] == "eviction" && events[0]["body"]?["lost"] == 3 && events[0]["device"] == "edge-1")
    }

    @Test func `a full queue drops and counts`() async throws {
        var limits = IngestPipeline.Limits()
        limits.queueMessagesMax = 3
        let bench = try Bench(scratch.path, limits: limits)
        for sequence in 1...5 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        #expect(bench.registry.render().contains("farwatch_ingest_dropped_total 2\n"))
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        #expect(bench.runs == [Acknowledgement.Run(first: 1, count: 3)])
    }

    @Test func `groups keep to their bounds`() async throws {
        var limits = IngestPipeline.Limits()
        limits.group.rowsMax = 50
        let bench = try Bench(scratch.path, limits: limits)
        for sequence in 1...10 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running { try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 10 } }
        // A block of 10 ticks and 2 columns counts 20 rows, so a group is full with the third.
        #expect(bench.store.attempts.value == 4)
    }

    @Test func `thousands of blocks from many devices arrive once each`() async throws {
        let bench = try Bench(scratch.path)
        try await bench.running {
            for sequence in 1...100 as ClosedRange<UInt64> {
                for device in 0..<20 { bench.send(SampleBatches.samples(sequence, device: "edge-\(device)")) }
            }
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 2_000 }
        }
        let statistics = try await bench.store.statistics()
        #expect(statistics.blocks == 2_000 && statistics.samples == 30_000)
    }
}
