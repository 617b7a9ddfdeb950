import CollectorFixtures
import CollectorIngest
import Telemetry
import Testing

@Suite struct AcknowledgementMergerTests {
    private let device = SampleBatches.device()

    @Test func `sequences next to each other with the same outcome become one run`() {
        var merger = AcknowledgementMerger()
        for sequence in [3, 1, 2, 7, 9, 8] as [UInt64] { merger.add(device, 5, sequence, .committed) }
        merger.add(device, 5, 4, .refused(reason: "x"))
        let messages = merger.messages()
        #expect(messages.count == 1)
        #expect(
            messages[0].acknowledgement
                == Acknowledgement(
                    stream: 5,
                    runs: [
                        Acknowledgement.Run(first: 1, count: 3), Acknowledgement.Run(first: 4, outcome: .refused(reason: "x")),
                        Acknowledgement.Run(first: 7, count: 3),
                    ]))
    }

    @Test func `each device and stream has a message of its own`() {
        var merger = AcknowledgementMerger()
        merger.add(device, 2, 1, .committed)
        merger.add(device, 1, 1, .committed)
        merger.add(SampleBatches.device("a"), 1, 1, .committed)
        #expect(merger.messages().map { "\($0.device) \($0.acknowledgement.stream)" } == ["a 1", "edge-1 1", "edge-1 2"])
    }

    @Test func `more runs than fit go into further messages, each of which can be read`() throws {
        var merger = AcknowledgementMerger()
        let reason = String(repeating: "é", count: 300)
        let count = UInt64(Acknowledgement.runsMax) * 2 + 1
        for sequence in 1...count { merger.add(device, 1, sequence * 2, .refused(reason: reason)) }
        let messages = merger.messages()
        #expect(messages.map { $0.acknowledgement.runs.count } == [Acknowledgement.runsMax, Acknowledgement.runsMax, 1])
        for message in messages { _ = try Acknowledgement(decoding: message.acknowledgement.encoded()) }
    }

    @Test func `what is committed stays so, whatever a damaged copy deserved`() {
        for outcomes in [[true, false], [false, true]] {
            var merger = AcknowledgementMerger()
            for isCommitted in outcomes { merger.add(device, 1, 1, isCommitted ? .committed : .refused(reason: "x")) }
            #expect(merger.messages()[0].acknowledgement.runs == [Acknowledgement.Run(first: 1)])
        }
    }

    @Test func `a device is told of unreadable messages once a second`() {
        var limiter = NoticeLimiter()
        let told = [(device, 0), (device, 999), (SampleBatches.device("b"), 999), (device, 1_000)].map { limiter.mayTell($0, at: $1) }
        #expect(told == [true, false, true, true])
    }
}
