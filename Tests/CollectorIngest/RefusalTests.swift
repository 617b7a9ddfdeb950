import CollectorFixtures
import CollectorIngest
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores

/// What is refused: acknowledged as such, kept, and played again.
@Suite struct RefusalTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let up = Topic.up(SampleBatches.device())

    @Test func `what is refused is acknowledged as such, kept and counted, and blocks nothing`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path)
        bench.pipeline.receive(topic: up, bytes: [1, 2, 3])
        bench.send(SampleBatches.samples(1, device: "edge-2"))
        try await bench.running { try await bench.until { bench.listener.told.value.count == 2 } }
        #expect(bench.listener.told.value.sorted() == ["committed edge-2 \(SampleBatches.start + 9_000)", "refused edge-1"])
    }

    @Test func `unreadable messages are answered once a second, and all kept`() async throws {
        let bench = try IngestBench(scratch.path)
        for _ in 0..<5 { bench.pipeline.receive(topic: up, bytes: [1, 2, 3]) }
        try await bench.running { try await bench.until { try await bench.store.quarantined(QuarantineQuery()).count == 5 && !bench.runs.isEmpty } }
        #expect(bench.published.value.count == 1)
        #expect(bench.published.value.first?.acknowledgement?.stream == Acknowledgement.unreadableStream)
    }

    @Test func `an overlap stays in quarantine with what is not stored of it`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path)
        bench.pipeline.receive(topic: up, bytes: SampleBatches.samples(1).encoded() + [UInt8](repeating: 0, count: 100_000))
        try await bench.running { try await bench.until { try await !bench.store.quarantined(QuarantineQuery()).isEmpty } }
        let replay = QuarantineReplay(store: bench.store, pipeline: bench.pipeline)
        #expect(try await replay.replayAll().refused == 1)
        let item = try #require(try await bench.store.quarantined(QuarantineQuery()).first)
        #expect(item.isCut && item.bytes.count == QuarantinedItem.bytesMax && item.reason.hasPrefix("too_large: "))
    }

    @Test func `what was refused is taken once when it is played again, however often`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path)
        bench.pipeline.receive(topic: up, bytes: SampleBatches.samples(4, device: "edge-2").encoded())
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).closed.ranges.isEmpty)
        #expect(try await bench.store.taken(device: SampleBatches.device("edge-2"), stream: SampleBatches.stream).closed.ranges.isEmpty)
    }
}
