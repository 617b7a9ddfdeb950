import CollectorFixtures
import CollectorIngest
import Telemetry
import Testing

@Suite struct BatchCheckTests {
    private let now = SampleBatches.start + 3_600_000
    private let up = Topic.up(SampleBatches.device())

    private func reason(_ batch: Batch, topic: String? = nil) -> Refusal.Reason? {
        guard case .refused(_, _, let refusal) = BatchCheck.judge(topic: topic ?? up, bytes: batch.encoded(), now: now) else { return nil }
        return refusal.reason
    }

    @Test func `a good batch is what it is`() {
        let batch = SampleBatches.samples(1)
        guard case .samples(let judged, let block) = BatchCheck.judge(topic: up, bytes: batch.encoded(), now: now) else {
            Issue.record("not taken for samples")
            return
        }
        #expect(judged == batch && block.timestamps.count == 10)
    }

    @Test func `a batch on another device's topic is refused`() {
        #expect(reason(SampleBatches.samples(1, device: "edge-2")) == .foreignDevice)
    }

    @Test(
        arguments: [
            (BatchCheck.timeMin - 1, Refusal.Reason.tooEarly), (BatchCheck.timeMin, nil),
            (SampleBatches.start + 3_600_000 + BatchCheck.aheadMax, nil),
            (SampleBatches.start + 3_600_000 + BatchCheck.aheadMax + 1, .tooLate), (Int64.max, .tooLate), (Int64.min, .tooEarly), (0, .tooEarly),
        ] as [(Int64, Refusal.Reason?)])
    func `a tick at an absurd time is refused`(at: Int64, expected: Refusal.Reason?) {
        let ticks = [SampleBatches.ticks(1)[0], Tick(at: at, readings: [Reading(Series("x"), 1)])]
        #expect(reason(SampleBatches.samples(1, ticks: ticks)) == expected)
    }

    @Test(arguments: ["", "[]", "{}", "{\"type\":1}", "{\"type\":\"\"}", "{\"type\":\"x\"", "null", "{\"type\":\"x\"}}"])
    func `a document that is no object with a type is refused`(json: String) {
        #expect(reason(SampleBatches.document(json, 1)) == .notDocument)
        #expect(reason(SampleBatches.document(json, 1, kind: .event)) == .notDocument)
    }

    @Test func `a document that is deeper than stores read back is refused`() {
        func nested(_ depth: Int) -> String {
            "{\"type\":\"x\",\"a\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(reason(SampleBatches.document(nested(BatchCheck.depthMax), 1)) == nil)
        #expect(reason(SampleBatches.document(nested(BatchCheck.depthMax + 1), 1)) == .notDocument)
    }

    @Test func `a payload that is no block is refused by the decoder's name`() {
        var batch = SampleBatches.samples(1)
        batch.payload = [9, 9, 9]
        #expect(reason(batch) == .undecodable("unknown_version"))
    }

    @Test(arguments: ["farwatch/v1/edge-1/down", "farwatch/v1/edge 1/up", "farwatch/v2/edge-1/up", "", "up", "farwatch/v1/edge-1/up/x"])
    func `a topic that is not ours is foreign`(topic: String) {
        guard case .foreign = BatchCheck.judge(topic: topic, bytes: SampleBatches.samples(1).encoded(), now: now) else {
            Issue.record("taken in")
            return
        }
    }

    @Test func `presence is one of two words`() {
        let topic = Topic.status(SampleBatches.device())
        guard case .presence(_, isOnline: true) = BatchCheck.judge(topic: topic, bytes: Array("online".utf8), now: now) else {
            Issue.record("not online")
            return
        }
        guard case .foreign = BatchCheck.judge(topic: topic, bytes: Array("onlinex".utf8), now: now) else {
            Issue.record("taken for presence")
            return
        }
    }

    @Test func `random and damaged bytes always end in a verdict`() {
        let good = SampleBatches.samples(3, ticks: SampleBatches.ticks(100)).encoded()
        for _ in 0..<3_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3) { bytes[Int.random(in: 0..<bytes.count)] = UInt8.random(in: 0...255) }
            _ = BatchCheck.judge(topic: up, bytes: bytes, now: now)
            let noise = (0..<Int.random(in: 0..<300)).map { _ in UInt8.random(in: 0...255) }
            guard case .unreadable = BatchCheck.judge(topic: up, bytes: noise, now: now) else {
                Issue.record("noise was read")
                return
            }
        }
    }

    @Test func `a damaged payload under a good checksum never traps`() {
        let payload = Array(SampleBatches.samples(3, ticks: SampleBatches.ticks(100)).payload)
        for _ in 0..<3_000 {
            var batch = SampleBatches.samples(1)
            var damaged = payload
            for _ in 0..<Int.random(in: 1...4) { damaged[Int.random(in: 0..<damaged.count)] = UInt8.random(in: 0...255) }
            batch.payload = damaged.prefix(Int.random(in: 0...damaged.count))
            _ = BatchCheck.judge(topic: up, bytes: batch.encoded(), now: now)
        }
    }
}
