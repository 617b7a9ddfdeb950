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
    /// Sequences of which no commit may be.
    let poison = Changeable<Set<Sequence64>>([])
    /// A commit waits until so many are under way.
    let company = Changeable(1)
    let underWay = Changeable(0)
    let mostUnderWay = Changeable(0)
    /// Sequences that are too much for it: by name, and as a server's limits tell.
    let tooMuch = Changeable<Set<Sequence64>>([])
    let overloading = Changeable<Set<Sequence64>>([])
    /// Sequences at which it is down, and not for others.
    let stuck = Changeable<Set<Sequence64>>([])
    /// It takes no probe.
    let isIll = Changeable(false)

    init(_ directory: String) throws { store = try EmbeddedTimeSeriesStore(directory: directory) }

    func commit(_ group: [IncomingBatch]) async throws -> [CommitOutcome] {
        attempts.change { $0 += 1 }
        underWay.change { $0 += 1 }
        defer { underWay.change { $0 -= 1 } }
        let count = underWay.value
        mostUnderWay.change { $0 = max($0, count) }
        for _ in 0..<1_000 where underWay.value < company.value { try await Task.sleep(for: .milliseconds(5)) }
        if isDown.value { throw StoreError(.unavailable, operation: "commit", path: "test", detail: "down") }
        guard group.allSatisfy({ !poison.value.contains($0.batch.sequence) }) else {
            throw StoreError(.refused, operation: "commit", path: "test", detail: "not this one")
        }
        let kinds: [(Changeable<Set<Sequence64>>, StoreError.Reason)] = [(tooMuch, .tooMuch), (overloading, .overloaded), (stuck, .unavailable)]
        for (sequences, reason) in kinds where group.contains(where: { sequences.value.contains($0.batch.sequence) }) {
            throw StoreError(reason, operation: "commit", path: "test", detail: "not with this one")
        }
        return try await store.commit(group)
    }
    func probe() async throws {
        if isIll.value { throw StoreError(.refused, operation: "probe", path: "test", detail: "ill") }
        try await store.probe()
    }
    func taken(device: DeviceId, stream: StreamId) async throws -> TakenSequences { try await store.taken(device: device, stream: stream) }
    func series(of device: DeviceId) async throws -> [Series] { try await store.series(of: device) }
    func range(_ query: RangeQuery) async throws -> [AggregatedSeries] { try await store.range(query) }
    func latest(of device: DeviceId) async throws -> Tick? { try await store.latest(of: device) }
    func sampleCount(of device: DeviceId) async throws -> Int64 { try await store.sampleCount(of: device) }
    func statistics() async throws -> TimeSeriesStatistics { try await store.statistics() }
    @discardableResult func quarantine(_ items: [QuarantinedItem]) async throws -> Int { try await store.quarantine(items) }
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
    /// The store of documents is.
    let isDown = Changeable(false)

    private func check() throws {
        if isDown.value { throw StoreError(.unavailable, operation: "write", path: "test", detail: "down") }
    }

    func receive(_ document: ReceivedDocument) async throws {
        try check()
        if document.type == "bad" { throw Refusal(.badDocument, "says so") }
        told.change { $0.append("document \(document.type)") }
    }
    func presenceChanged(_ isOnline: [DeviceId: Bool], at: Int64) async throws {
        try check()
        told.change { told in for (device, isOnline) in isOnline { told.append("\(device) \(isOnline)") } }
    }
    func presenceBegan(at: Int64) async { told.change { $0.append("connected") } }
    func committed(_ activity: [DeviceId: DeviceActivity]) async {
        told.change { told in
            for (device, activity) in activity {
                told.append(activity.isStored ? "committed \(device) \(activity.newest?.at ?? 0)" : "refused \(device)")
            }
        }
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

    @Test func `groups of samples are in flight together, each batch is acknowledged once, and documents keep their order`() async throws {
        var limits = IngestPipeline.Limits()
        limits.groupsInFlight = 3
        limits.group.messagesMax = 4
        let bench = try Bench(scratch.path, limits: limits)
        bench.store.company.value = 3
        for sequence in 1...12 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence, device: "edge-\(sequence)")) }
        try await bench.running {
            try await bench.until { bench.store.mostUnderWay.value == 3 }
            bench.store.company.value = 1
            try await bench.until { bench.runs.count == 12 }
            for sequence in 13...60 as ClosedRange<UInt64> {
                let isDocument = sequence % 3 == 0
                bench.send(isDocument ? SampleBatches.document("{\"type\":\"good\"}", sequence) : SampleBatches.samples(sequence))
                if sequence % 10 == 0 {
                    bench.pipeline.receive(topic: Topic.status(device), bytes: Array((sequence == 60 ? "offline" : "online").utf8))
                }
            }
            try await bench.until { bench.runs.reduce(0) { $0 + Int($1.count) } == 60 }
            try await bench.until { bench.listener.told.value.contains("edge-1 false") }
        }
        #expect(bench.store.mostUnderWay.value == 3)
        #expect(bench.listener.told.value.filter { $0 == "document good" }.count == 16)
        #expect(bench.listener.told.value.last { $0.hasPrefix("edge-1 ") } == "edge-1 false")
        #expect(try await bench.store.statistics().samples == Int64(15 * (60 - 16)))
    }

    @Test func `a group that is not full waits while others are written, a full one does not, and a lone one never`() async throws {
        var limits = IngestPipeline.Limits()
        limits.groupsInFlight = 3
        limits.group.messagesMax = 4
        limits.group.growthMax = .seconds(3_600)
        let bench = try Bench(scratch.path, limits: limits)
        // Nobody is done before there are two.
        bench.store.company.value = 2
        bench.send(SampleBatches.samples(1))
        try await bench.running {
            try await bench.until { bench.store.underWay.value == 1 }
            for sequence in 2...4 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
            try await Task.sleep(for: .milliseconds(100))
            #expect(bench.store.attempts.value == 1)
            bench.send(SampleBatches.samples(5))
            try await bench.until { bench.runs.reduce(0) { $0 + Int($1.count) } == 5 }
            #expect(bench.store.attempts.value == 2)
            bench.store.company.value = 1
            bench.send(SampleBatches.samples(6))
            try await bench.until { bench.runs.reduce(0) { $0 + Int($1.count) } == 6 }
        }
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

    @Test func `while the store of documents alone is down samples are acknowledged, and documents are not`() async throws {
        var limits = IngestPipeline.Limits()
        limits.isDocumentStoreApart = true
        let bench = try Bench(scratch.path, limits: limits)
        bench.listener.isDown.value = true
        bench.send(SampleBatches.document("{\"type\":\"good\"}", 1))
        bench.send(SampleBatches.samples(2))
        bench.pipeline.receive(topic: Topic.status(device), bytes: Array("online".utf8))
        try await bench.running {
            try await bench.until { !bench.published.value.isEmpty }
            #expect(bench.runs == [Acknowledgement.Run(first: 2)])
            bench.listener.isDown.value = false
            // The device sends it again; what the broker said is told with it.
            bench.send(SampleBatches.document("{\"type\":\"good\"}", 1))
            try await bench.until { bench.runs.count == 2 }
        }
        #expect(bench.runs.last == Acknowledgement.Run(first: 1))
        #expect(bench.listener.told.value.filter { !$0.hasPrefix("committed") } == ["document good", "edge-1 true"])
        #expect(bench.registry.render().contains("farwatch_ingest_untaken_total 1\n"))
        #expect(bench.pipeline.unavailableReason == nil)
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

    @Test func `who is refused alone is told of too, as nobody that delivered`() async throws {
        let bench = try Bench(scratch.path)
        bench.pipeline.receive(topic: up, bytes: [1, 2, 3])
        bench.send(SampleBatches.samples(1, device: "edge-2"))
        try await bench.running { try await bench.until { bench.listener.told.value.count == 2 } }
        #expect(bench.listener.told.value.sorted() == ["committed edge-2 \(SampleBatches.start + 9_000)", "refused edge-1"])
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

    @Test func `a batch that the store will never take goes into quarantine, and those around it into the store`() async throws {
        let bench = try Bench(scratch.path)
        bench.store.poison.value = [7, 23]
        for sequence in 1...40 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running { try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 40 } }
        #expect(try await bench.store.statistics().blocks == 38)
        let items = try await bench.store.quarantined(QuarantineQuery())
        #expect(Set(items.map { $0.place?.sequences }) == [7...7, 23...23] && items.allSatisfy { $0.reason.hasPrefix("store_refused: ") })
        // It can be played again when the store is in order.
        bench.store.poison.value = []
        let replay = QuarantineReplay(store: bench.store, pipeline: bench.pipeline)
        #expect(try await replay.replayAll().committed == 2)
        #expect(try await bench.store.statistics().blocks == 40)
        #expect(try await bench.store.quarantined(QuarantineQuery()).isEmpty)
    }

    @Test func `a batch that is too much for the store goes into quarantine, whether it is known before or the store runs out`() async throws {
        let bench = try Bench(scratch.path)
        bench.store.tooMuch.value = [7]
        bench.store.overloading.value = [23]
        for sequence in 1...40 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running { try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 40 } }
        #expect(try await bench.store.statistics().blocks == 38)
        let items = try await bench.store.quarantined(QuarantineQuery())
        #expect(Set(items.map { $0.place?.sequences }) == [7...7, 23...23] && items.allSatisfy { $0.reason.hasPrefix("store_refused: ") })
        #expect(bench.pipeline.unavailableReason == nil)
    }

    @Test func `a store that runs out and takes no probe refuses nothing for good`() async throws {
        let bench = try Bench(scratch.path)
        bench.store.overloading.value = Set(1...3)
        bench.store.isIll.value = true
        for sequence in 1...3 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running {
            // More often than a group is tried whole.
            try await bench.until { bench.store.attempts.value >= 5 }
            #expect(bench.runs.isEmpty)
            bench.store.overloading.value = []
            bench.store.isIll.value = false
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 3 }
        }
        #expect(bench.runs.allSatisfy { $0.outcome == .committed })
        #expect(try await bench.store.quarantined(QuarantineQuery()).isEmpty)
    }

    @Test func `a group that cannot be written is told of until it is, whatever comes through beside it`() async throws {
        var limits = IngestPipeline.Limits()
        limits.groupsInFlight = 2
        let bench = try Bench(scratch.path, limits: limits)
        bench.store.stuck.value = [1]
        bench.send(SampleBatches.samples(1))
        try await bench.running {
            try await bench.until { bench.pipeline.unavailableReason != nil }
            for sequence in 2...20 as ClosedRange<UInt64> {
                bench.send(SampleBatches.samples(sequence))
                try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == sequence - 1 }
                #expect(bench.pipeline.unavailableReason != nil)
            }
            bench.store.stuck.value = []
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 20 }
            try await bench.until { bench.pipeline.unavailableReason == nil }
        }
    }

    @Test func `groups fail and succeed each by itself`() {
        var failures = GroupFailures()
        let (one, other, third) = (failures.begin(), failures.begin(), failures.begin())
        #expect(failures.first == nil)
        let news = [failures.failed(other, "b"), failures.failed(one, "a"), failures.failed(one, "c")]
        #expect(news == [true, false, false] && failures.first == "c")
        let ends = [failures.succeeded(third), failures.succeeded(one)]
        #expect(ends == [false, false] && failures.first == "b")
        let isLast = failures.succeeded(other)
        #expect(isLast && failures.first == nil)
        let isNews = failures.failed(third, "d")
        #expect(isNews)
    }

    @Test func `a store that is well refuses any number of batches in a row, and stops nobody`() async throws {
        let bench = try Bench(scratch.path)
        bench.store.poison.value = Set(1...60)
        for sequence in 1...60 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running {
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 60 }
            bench.send(SampleBatches.samples(61))
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 61 }
        }
        #expect(bench.runs.last?.outcome == .committed)
        #expect(try await bench.store.quarantined(QuarantineQuery()).count == 60)
    }

    @Test func `an overlap stays in quarantine with what is not stored of it`() async throws {
        let bench = try Bench(scratch.path)
        bench.send(SampleBatches.samples(2))
        try await bench.running {
            try await bench.until { !bench.runs.isEmpty }
            var thinned = SampleBatches.samples(3)
            thinned.span = 2
            bench.send(thinned)
            try await bench.until { bench.runs.count == 2 }
        }
        let replay = QuarantineReplay(store: bench.store, pipeline: bench.pipeline)
        for _ in 0..<2 { #expect(try await replay.replayAll().refused == 1) }
        #expect(try await bench.store.quarantined(QuarantineQuery()).first?.reason.hasPrefix("overlap") == true)
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).refused.ranges == [3...3])
    }

    @Test func `what is larger than any batch is kept as its beginning, and never played again`() async throws {
        let bench = try Bench(scratch.path)
        bench.pipeline.receive(topic: up, bytes: SampleBatches.samples(1).encoded() + [UInt8](repeating: 0, count: 100_000))
        try await bench.running { try await bench.until { try await !bench.store.quarantined(QuarantineQuery()).isEmpty } }
        let replay = QuarantineReplay(store: bench.store, pipeline: bench.pipeline)
        #expect(try await replay.replayAll().refused == 1)
        let item = try #require(try await bench.store.quarantined(QuarantineQuery()).first)
        #expect(item.isCut && item.bytes.count == QuarantinedItem.bytesMax && item.reason.hasPrefix("too_large: "))
    }

    @Test func `schemas that unfold to much more than their bytes fill a group`() async throws {
        var limits = IngestPipeline.Limits()
        limits.group.seriesBytesMax = 100_000
        let bench = try Bench(scratch.path, limits: limits)
        let value = String(repeating: "v", count: 1_500)
        let readings = (0..<20).map { Reading(Series("m", [Label("long", value + "\($0)")]), 1) }
        for sequence in 1...8 as ClosedRange<UInt64> {
            let batch = SampleBatches.samples(sequence, ticks: [Tick(at: SampleBatches.start, readings: readings)])
            #expect(batch.payload.count < 4_000)
            bench.send(batch)
        }
        try await bench.running { try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 8 } }
        // Some 33 kB a block, so that a group is full with the fourth; all that wait would be one otherwise.
        #expect(bench.store.attempts.value >= 2)
    }

    @Test func `a store that refuses everything is down, and nothing is acknowledged away`() async throws {
        let bench = try Bench(scratch.path)
        bench.store.poison.value = Set(1...100)
        bench.store.isIll.value = true
        for sequence in 1...100 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running {
            try await bench.until { bench.pipeline.unavailableReason != nil }
            #expect(bench.runs.isEmpty)
            bench.store.poison.value = []
            bench.store.isIll.value = false
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 100 }
        }
        #expect(bench.runs.allSatisfy { $0.outcome == .committed })
        #expect(try await bench.store.statistics().blocks == 100)
    }

    @Test func `what was refused is taken once when it is played again, however often`() async throws {
        let bench = try Bench(scratch.path)
        let late = SampleBatches.samples(3, ticks: SampleBatches.ticks(2, from: SampleBatches.start + 3_600_000 + BatchCheck.aheadMax + 1))
        for _ in 0..<2 { bench.send(late) }
        bench.send(SampleBatches.samples(1))
        try await bench.running { try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 2 } }
        let replay = QuarantineReplay(store: bench.store, pipeline: bench.pipeline)
        let items = try await bench.store.quarantined(QuarantineQuery())
        #expect(items.count == 2)
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).closed.ranges == [1...1, 3...3])
        guard case .refused(let refusal)? = try await replay.replay(id: items[0].id) else {
            Issue.record("not refused again")
            return
        }
        #expect(refusal.reason == .tooLate)
        #expect(try await bench.store.quarantined(QuarantineQuery()).count == 2)
        bench.wall.value += 60_000
        #expect(try await replay.replay(id: items[0].id) == .committed(samples: 3))
        #expect(try await replay.replay(id: items[0].id) == nil)
        #expect(try await replay.replay(id: items[1].id) == .duplicate)
        #expect(try await bench.store.sampleCount(of: device) == 18)
        #expect(bench.published.value.count == 1)
    }

    @Test func `what another device signed closes nothing`() async throws {
        let bench = try Bench(scratch.path)
        bench.pipeline.receive(topic: up, bytes: SampleBatches.samples(4, device: "edge-2").encoded())
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).closed.ranges.isEmpty)
        #expect(try await bench.store.taken(device: SampleBatches.device("edge-2"), stream: SampleBatches.stream).closed.ranges.isEmpty)
    }

    private func receipt(_ change: (inout String) -> Void = { _ in }) -> String {
        var json = """
            {"type":"eviction_receipt","at":"2026-01-01T00:10:00Z","action":"dropped","cause":"size","resolution":0,"sequences":[[2,3],[5,5]],\
            "from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:05:00Z","ticks":30,"samples":60,"samples_left":0}
            """
        change(&json)
        return json
    }

    @Test func `a receipt is an event, and closes what it gives up`() async throws {
        let bench = try Bench(scratch.path)
        bench.send(SampleBatches.samples(1))
        bench.send(SampleBatches.document(receipt(), 6, kind: .event))
        try await bench.running { try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 2 } }
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).closed.ranges == [1...3, 5...6])
        let receipts = try await bench.store.coverage(of: device, from: 0, to: .max).receipts
        #expect(receipts.first?.time == SampleBatches.start...SampleBatches.start + 300_000)
        #expect(receipts.first?.samples == 60 && receipts.first?.cause == "size" && receipts.first?.action == .dropped)
        #expect(try await bench.documents.find(DocumentQuery(), in: .events).first?["type"] == "eviction_receipt")
    }

    @Test(arguments: [
        ("[2,3]", "[2,6]"), ("[2,3]", "[3,2]"), ("[2,3]", "[0,3]"), ("[2,3]", "[2]"), ("[2,3]", "7"), ("\"dropped\"", "\"lost\""),
        ("\"cause\":\"size\"", "\"cause\":\"<b>\""), ("\"cause\":\"size\",", ""), ("\"samples\":60", "\"samples\":-1"),
        ("\"samples\":60", "\"samples\":9223372036854775807"), ("\"resolution\":0", "\"resolution\":86401"),
    ])
    func `a receipt that cannot be right closes nothing but itself`(before: String, after: String) async throws {
        let bench = try Bench(scratch.path)
        let text = receipt { json in json = json.split(separator: before, omittingEmptySubsequences: false).joined(separator: after) }
        #expect(text != receipt())
        bench.send(SampleBatches.document(text, 6, kind: .event))
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        guard case .refused(let reason)? = bench.runs.first?.outcome else {
            Issue.record("taken: \(text)")
            return
        }
        #expect(reason.hasPrefix("bad_document"))
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).closed.ranges == [6...6])
    }

    @Test(arguments: [
        (",\"to\":\"2026-01-01T00:05:00Z\"", "", Int64(0), Int64(600_000)),
        ("[[2,3],[5,5]],\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:05:00Z\"", "[]", 600_000, 600_000),
        ("[[2,3],[5,5]],\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:05:00Z\"", "[],\"from\":\"1970-01-01T00:00:00Z\"", 600_000, 600_000),
    ])
    func `a receipt with an open end reaches to where it was written, and one without a beginning stands there`(
        before: String, after: String, from: Int64, to: Int64
    ) async throws {
        let bench = try Bench(scratch.path)
        let text = receipt { json in json = json.split(separator: before, omittingEmptySubsequences: false).joined(separator: after) }
        #expect(text != receipt())
        bench.send(SampleBatches.document(text, 6, kind: .event))
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        let receipts = try await bench.store.coverage(of: device, from: 0, to: .max).receipts
        #expect(receipts.map { $0.time } == [SampleBatches.start + from...SampleBatches.start + to])
    }

    @Test func `a salvaged receipt speaks of the stream it was written for`() async throws {
        let bench = try Bench(scratch.path)
        var batch = SampleBatches.document(receipt(), 1, kind: .event)
        batch.origin = Batch.Origin(stream: 9, sequence: 6)
        bench.send(batch)
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        #expect(try await bench.store.taken(device: device, stream: 9).closed.ranges == [2...3, 5...6])
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).closed.ranges == [1...1])
    }

    @Test func `a device whose message found no room is told how fast it may go on`() async throws {
        var limits = IngestPipeline.Limits()
        limits.queueMessagesMax = 2
        let bench = try Bench(scratch.path, limits: limits)
        bench.store.isDown.value = true
        for sequence in 1...2 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        bench.send(SampleBatches.samples(9, device: "edge-2", stream: 77))
        try await bench.running {
            try await bench.until { !bench.published.value.isEmpty }
            let told = bench.published.value[0]
            #expect(told.topic == Topic.ack(SampleBatches.device("edge-2")))
            #expect(told.acknowledgement?.stream == 77 && told.acknowledgement?.runs == [] && told.acknowledgement?.pace ?? 0 > 0)
            #expect(bench.registry.render().contains("farwatch_ingest_pace_bytes_per_second "))
            bench.store.isDown.value = false
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 2 }
            // Until the stores have shown that they keep up, acknowledgements carry the pace.
            #expect(bench.published.value.last?.acknowledgement?.pace != nil)
        }
    }

    @Test func `words of an earlier connection are forgotten when a new one begins`() async throws {
        let bench = try Bench(scratch.path)
        let status = Topic.status(device)
        bench.pipeline.receive(topic: status, bytes: Array("online".utf8))
        bench.pipeline.connectionBegan()
        bench.pipeline.receive(topic: Topic.status(SampleBatches.device("edge-2")), bytes: Array("offline".utf8))
        try await bench.running { try await bench.until { bench.listener.told.value.count == 2 } }
        #expect(bench.listener.told.value == ["connected", "edge-2 false"])
    }
}
