import CollectorFixtures
import CollectorIngest
import DocumentStores
import Telemetry
import Testing
import TimeSeriesStores

/// What a device gives up, by its receipts.
@Suite struct EvictionReceiptTests {
    private let scratch = ScratchDirectory()
    private let device = SampleBatches.device()
    private let up = Topic.up(SampleBatches.device())

    private func receipt(_ change: (inout String) -> Void = { _ in }) -> String {
        var json = """
            {"type":"eviction_receipt","at":"2026-01-01T00:10:00Z","action":"dropped","cause":"size","resolution":0,"sequences":[[2,3],[5,5]],\
            "from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:05:00Z","ticks":30,"samples":60,"samples_left":0}
            """
        change(&json)
        return json
    }

    @Test func `a receipt is an event, and closes what it gives up`() async throws {
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path)
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
        let bench = try IngestBench(scratch.path)
        let text = receipt { json in json = json.split(separator: before, omittingEmptySubsequences: false).joined(separator: after) }
        #expect(text != receipt())
        bench.send(SampleBatches.document(text, 6, kind: .event))
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        let receipts = try await bench.store.coverage(of: device, from: 0, to: .max).receipts
        #expect(receipts.map { $0.time } == [SampleBatches.start + from...SampleBatches.start + to])
    }

    @Test func `a salvaged receipt speaks of the stream it was written for`() async throws {
        let bench = try IngestBench(scratch.path)
        var batch = SampleBatches.document(receipt(), 1, kind: .event)
        batch.origin = Batch.Origin(stream: 9, sequence: 6)
        bench.send(batch)
        try await bench.running { try await bench.until { !bench.runs.isEmpty } }
        #expect(try await bench.store.taken(device: device, stream: 9).closed.ranges == [2...3, 5...6])
        #expect(try await bench.store.taken(device: device, stream: SampleBatches.stream).closed.ranges == [1...1])
    }
}
