import CollectorFixtures
import CollectorIngest
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores

/// Stores that are down, run out or will not take a batch.
@Suite struct StoreFailureTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let up = Topic.up(SampleBatches.device())

    @Test func `while a store is down nothing is acknowledged, and work resumes by itself`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path, limits: limits)
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

    @Test func `a batch that the store will never take goes into quarantine, and those around it into the store`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path, limits: limits)
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

    @Test func `a store that is well refuses any number of batches in a row, and stops nobody`() async throws {
        let bench = try IngestBench(scratch.path)
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

    @Test func `a store that refuses everything is down, and nothing is acknowledged away`() async throws {
        let bench = try IngestBench(scratch.path)
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
}
