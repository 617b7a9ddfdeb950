import AgentSync
import Telemetry
import Testing

/// The lanes, the window, and what happens when answers do not come.
struct SyncStateTests {
    @Test func `nothing is sent before a connection`() {
        var state = SyncState()
        state.sealed(5)
        #expect(state.next(now: 0) == nil)
        #expect(state.wakeUp(now: 0) == nil)
    }

    @Test func `the backlog goes reports first, then samples, each from the newest to the oldest`() {
        var harness = SyncHarness(samples: 1...6)
        harness.held.samples = [1, 3, 5, 6]
        harness.held.reports = [2, 4]
        harness.connect()
        #expect(harness.pump() == [4, 2, 6, 5, 3, 1])
    }

    @Test func `the backlog stops at its window of bytes, and what is sealed then still goes at once`() {
        var harness = SyncHarness(samples: 1...1_000)
        harness.bytesOfBatch = 1_024
        harness.connect()
        #expect(harness.pump().count == SendWindow.bytesFirst / 1_024)
        harness.seal()
        #expect(harness.pump() == [1_001])
        // And it took no room from the backlog.
        harness.acknowledge(1_000...1_000)
        #expect(harness.pump().first == 1_000 - 16)
    }

    @Test func `the backlog leaves room in what the broker takes before it has confirmed anything`() {
        var harness = SyncHarness(samples: 1...100)
        harness.confirms = false
        harness.connect(transportBatches: 20)
        #expect(harness.pump().count == 16)
        harness.seal()
        #expect(harness.pump() == [101])
        harness.state.delivered(100, now: 0, jitter: 0)
        #expect(harness.pump().isEmpty, "17 are unconfirmed but one")
        harness.state.delivered(101, now: 0, jitter: 0)
        #expect(harness.pump() == [84])
    }

    @Test func `live batches have a bound of their own`() {
        var limits = SyncLimits()
        limits.liveBatchesMax = 3
        var harness = SyncHarness(limits)
        harness.connect()
        for _ in 1...5 { harness.seal() }
        #expect(harness.pump() == [1, 2, 3])
        harness.acknowledge(2...2)
        #expect(harness.pump() == [4])
    }

    @Test func `gaps in the backlog are passed over and its end is found`() {
        var harness = SyncHarness(samples: 1...100)
        harness.held.samples = [3, 50, 99]
        harness.connect()
        #expect(harness.pump() == [99, 50, 3])
        harness.acknowledge(1...100)
        #expect(harness.state.isDrained)
    }

    @Test func `one batch always may go, however large`() {
        var harness = SyncHarness(samples: 1...10)
        harness.bytesOfBatch = SyncLimits().backlogBytesMax * 2
        harness.connect()
        #expect(harness.pump() == [10])
    }

    @Test func `a batch that was evicted while on its way is forgotten`() {
        var harness = SyncHarness(samples: 1...2)
        harness.connect()
        harness.pump()
        harness.held.drop(1...1)
        harness.now = 5_000
        harness.acknowledge(2...2)
        harness.now = 10_000
        #expect(harness.pump() == [])
        #expect(harness.state.isDrained)
    }

    @Test func `after a reconnect everything unacknowledged goes again`() {
        var harness = SyncHarness(samples: 1...3)
        harness.connect()
        #expect(harness.pump() == [3, 2, 1])
        harness.state.disconnected()
        #expect(harness.state.next(now: 1_000_000) == nil)
        harness.now = 1_000_000
        harness.connect()
        #expect(harness.pump() == [3, 2, 1])
    }

    // MARK: Answers that do not come

    @Test func `a lost batch is sent again, later and later`() {
        var harness = SyncHarness(samples: 1...1)
        harness.connect()
        #expect(harness.pump() == [1])
        /// Others are answered all the time: the collector is there.
        func answerAnother(_ harness: inout SyncHarness, at now: Int64) {
            harness.now = now
            harness.state.acknowledged(.init(first: 900), now: now)
        }
        answerAnother(&harness, at: 9_999)
        #expect(harness.pump() == [])
        #expect(harness.state.wakeUp(now: 9_999) == 10_000)
        harness.now = 10_000
        harness.jitter = 19_999
        #expect(harness.pump() == [1])
        answerAnother(&harness, at: 39_998)
        #expect(harness.pump() == [])
        harness.now = 39_999
        #expect(harness.pump() == [1], "10 s and 19.999 s of jitter later")
        #expect(harness.state.status(now: harness.now).batchesResent == 2)
    }

    @Test func `a time-out counts from the broker's confirmation on, so that a slow link is not taken for a loss`() {
        var harness = SyncHarness(samples: 1...1)
        harness.confirms = false
        harness.connect()
        harness.pump()
        harness.now = 60_000
        #expect(harness.pump() == [])
        harness.state.delivered(1, now: 60_000, jitter: 0)
        #expect(harness.state.wakeUp(now: 60_000) == 70_000)
    }

    @Test func `a collector that does not answer is probed by one batch at a time, less and less often`() {
        var harness = SyncHarness(samples: 1...50)
        harness.jitter = .max / 2
        harness.connect()
        #expect(harness.pump().count == 50)
        harness.run(until: 3_600_000)
        #expect(harness.state.status(now: harness.now).isCollectorSilent)
        let probes = harness.log.dropFirst(50)
        #expect(probes.allSatisfy { $0.sequence == 50 }, "the newest")
        let gaps = zip(probes, probes.dropFirst()).map { $1.at - $0.at }
        #expect(gaps.allSatisfy { $0 >= 10_000 })
        #expect((5...40).contains(probes.count), "\(probes.count) in an hour")
    }

    @Test func `what is sealed goes at once though the collector is silent, and an answer opens the backlog again`() {
        var harness = SyncHarness(samples: 1...50)
        harness.jitter = .max / 2
        harness.connect()
        harness.pump()
        harness.now = 10_000
        harness.pump()
        harness.seal()
        #expect(harness.pump() == [51])
        harness.acknowledge(51...51)
        #expect(!harness.state.status(now: harness.now).isCollectorSilent)
        #expect(harness.pump() == Array((1...50).reversed()))
    }

    @Test func `a broker without a collector is found out from its word alone`() {
        var harness = SyncHarness(samples: 1...50)
        harness.confirms = false
        harness.connect()
        harness.pump()
        harness.jitter = 1_500
        harness.state.undelivered(50, now: 0, jitter: 1_500)
        #expect(harness.pump() == [])
        #expect(harness.state.wakeUp(now: 0) == 1_500)
        harness.now = 1_500
        #expect(harness.pump() == [50])
    }

    @Test func `time-outs follow a link with long round trips`() {
        var harness = SyncHarness(samples: 1...2)
        harness.connect()
        harness.pump()
        harness.now = 8_000
        harness.acknowledge(2...2)
        harness.seal()
        #expect(harness.pump() == [3])
        harness.acknowledge(1...1)
        #expect(harness.state.wakeUp(now: 8_000) == 40_000)
    }
}
