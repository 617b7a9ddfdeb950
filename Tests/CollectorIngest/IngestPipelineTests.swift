import CollectorFixtures
import CollectorIngest
import DocumentStores
import ServiceSupport
import Telemetry
import Testing
import TimeSeriesStores

/// What comes is judged, grouped, written and acknowledged.
@Suite struct IngestPipelineTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let up = Topic.up(SampleBatches.device())

    @Test func `what is committed is acknowledged, a duplicate too`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path, limits: limits)
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
        let bench = try IngestBench(scratch.path, limits: limits)
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

    @Test func `documents reach their service and events their collection, before they are acknowledged`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path, limits: limits)
        for sequence in 1...5 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        #expect(bench.registry.render().contains("farwatch_ingest_dropped_total 2\n"))
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        #expect(bench.runs == [Acknowledgement.Run(first: 1, count: 3)])
    }

    @Test func `thousands of blocks from many devices arrive once each`() async throws {
        let bench = try IngestBench(scratch.path)
        try await bench.running {
            for sequence in 1...100 as ClosedRange<UInt64> {
                for device in 0..<20 { bench.send(SampleBatches.samples(sequence, device: "edge-\(device)")) }
            }
            try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 2_000 }
        }
        let statistics = try await bench.store.statistics()
        #expect(statistics.blocks == 2_000 && statistics.samples == 30_000)
    }

    @Test func `a device whose message found no room is told how fast it may go on`() async throws {
        var limits = IngestPipeline.Limits()
        limits.queueMessagesMax = 2
        let bench = try IngestBench(scratch.path, limits: limits)
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
        let bench = try IngestBench(scratch.path)
        let status = Topic.status(device)
        bench.pipeline.receive(topic: status, bytes: Array("online".utf8))
        bench.pipeline.connectionBegan()
        bench.pipeline.receive(topic: Topic.status(SampleBatches.device("edge-2")), bytes: Array("offline".utf8))
        try await bench.running { try await bench.until { bench.listener.told.value.count == 2 } }
        #expect(bench.listener.told.value == ["connected", "edge-2 false"])
    }

    @Test func `groups keep to their bounds`() async throws {
        var limits = IngestPipeline.Limits()
        limits.group.rowsMax = 50
        let bench = try IngestBench(scratch.path, limits: limits)
        for sequence in 1...10 as ClosedRange<UInt64> { bench.send(SampleBatches.samples(sequence)) }
        try await bench.running { try await bench.until { bench.runs.reduce(0) { $0 + $1.count } == 10 } }
        // A block of 10 ticks and 2 columns counts 20 rows, so a group is full with the third.
        #expect(bench.store.attempts.value == 4)
    }

    @Test func `schemas that unfold to much more than their bytes fill a group`() async throws {
        var limits = IngestPipeline.Limits()
        limits.group.seriesBytesMax = 100_000
        let bench = try IngestBench(scratch.path, limits: limits)
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
}
