import AgentSync
import Telemetry
import Testing

/// What bounds the bytes over time.
struct SyncBudgetTests {
    /// Bytes that went in the busiest span of so many milliseconds.
    private func busiest(_ log: [(sequence: Sequence64, at: Int64)], bytes: Int, span: Int64) -> Int {
        log.indices.map { start in log[start...].prefix { $0.at < log[start].at + span }.count * bytes }.max() ?? 0
    }

    @Test func `the backlog keeps to its rate`() {
        var limits = SyncLimits()
        limits.backlogBytesPerSecond = 1_000
        var harness = SyncHarness(limits, samples: 1...10_000)
        harness.bytesOfBatch = 500
        harness.connect()
        harness.run(until: 60_000, answeringAfter: 50)
        let sent = harness.log.count * 500
        #expect((59_000...60_500).contains(sent), "\(sent) bytes in a minute")
    }

    @Test func `no hour has more than its budget and one batch, and live batches go first within it`() {
        var limits = SyncLimits()
        limits.bytesPerHour = 100_000
        var harness = SyncHarness(limits, samples: 1...10_000)
        harness.bytesOfBatch = 900
        harness.connect()
        var live: [Sequence64] = []
        for minute in 1...240 as ClosedRange<Int64> {
            harness.run(until: minute * 60_000, answeringAfter: 50)
            harness.seal()
            live.append(harness.newest)
        }
        harness.run(until: harness.now + 1_000, answeringAfter: 50)
        #expect(busiest(harness.log, bytes: 900, span: 3_600_000) <= 100_000 + 900)
        #expect(harness.log.count * 900 > 4 * 85_000, "and most of it is used")
        // The newest of each minute went within a second of it.
        for (minute, sequence) in live.enumerated() {
            let went = harness.log.first { $0.sequence == sequence }?.at ?? .max
            #expect(went <= Int64(minute + 1) * 60_000 + 1_000)
        }
    }

    @Test func `what is sent again counts in the budget`() {
        var limits = SyncLimits()
        limits.bytesPerHour = 100_000
        var harness = SyncHarness(limits, samples: 1...1)
        harness.bytesOfBatch = 50_000
        harness.connect()
        // Nobody answers: reconnecting sends the batch again and again.
        for second in 1...7_200 as ClosedRange<Int64> {
            harness.run(until: second * 1_000)
            harness.state.disconnected()
            harness.connect()
        }
        #expect(busiest(harness.log, bytes: 50_000, span: 3_600_000) <= 150_000)
        #expect(harness.log.count >= 3)
    }

    @Test func `a pace of the collector's is obeyed for its time and then let go, and live batches know nothing of it`() {
        var harness = SyncHarness(samples: 1...5_000)
        harness.bytesOfBatch = 1_000
        harness.state.paced(2_000, now: 0)
        harness.connect()
        harness.run(until: Acknowledgement.paceValidity - 1, answeringAfter: 20)
        let paced = harness.log.count
        #expect((115...122).contains(paced), "\(paced) batches of 1,000 bytes in a minute at 2,000 bytes a second")
        #expect(harness.state.status(now: harness.now).pace?.bytesPerSecond == 2_000)
        harness.seal()
        #expect(harness.pump() == [5_001])
        harness.run(until: Acknowledgement.paceValidity + 1_000, answeringAfter: 20)
        #expect(harness.log.count > paced + 500)
        #expect(harness.state.status(now: harness.now).pace == nil)
    }

    @Test func `a new pace takes the place of the old one at once`() {
        var harness = SyncHarness(samples: 1...5_000)
        harness.bytesOfBatch = 1_000
        harness.state.paced(1, now: 0)
        harness.connect()
        harness.run(until: 10_000, answeringAfter: 20)
        #expect(harness.log.count == 1)
        harness.state.paced(10_000, now: 10_000)
        harness.run(until: 20_000, answeringAfter: 20)
        #expect((98...103).contains(harness.log.count), "\(harness.log.count)")
    }

    @Test func `a restart wins no bytes`() {
        var limits = SyncLimits()
        limits.bytesPerHour = 1_000_000
        var sent = 0
        // An agent that is restarted every ten seconds, for an hour.
        for restart in 0..<360 as Range<Int64> {
            var harness = SyncHarness(limits, samples: 1...100)
            harness.bytesOfBatch = 250
            harness.now = restart * 10_000
            harness.connect()
            harness.run(until: harness.now + 10_000, answeringAfter: 20)
            sent += harness.log.count * 250
        }
        #expect(sent <= 1_000_000 + 360 * 250, "what it is over is one batch a restart: \(sent)")
    }
}
