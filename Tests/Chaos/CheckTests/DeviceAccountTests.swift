import ChaosCheck
import SimulatedFleet
import Telemetry
import Testing

/// The check's own arithmetic, on truths and blocks made up here.
@Suite struct DeviceAccountTests {
    private static let start: Int64 = 1_767_225_600_000
    private let machine = SimulatedMachine(seed: 7, number: 1, seriesCount: 6, isChecked: true)

    private func truth(_ count: Int) -> Truth {
        Truth(machine: machine, ticks: (0..<count).map { Truth.Tick(at: Self.start + Int64($0) * 1_000, clockOffset: 0, fate: .kept) })
    }

    private func ticks(_ range: Range<Int>, movedBy move: Int64 = 0) -> [Tick] {
        range.map { Tick(at: Self.start + Int64($0) * 1_000 + move, readings: machine.readings(at: Int64($0))) }
    }

    private func samples(_ range: Range<Int>) -> Int { ticks(range).reduce(0) { $0 + $1.readings.count } }

    private func receipt(_ range: ClosedRange<Int>, isThinned: Bool = false, cause: String = "size") -> Receipt {
        Receipt(
            isThinned: isThinned, cause: cause, from: Self.start + Int64(range.lowerBound) * 1_000, to: Self.start + Int64(range.upperBound) * 1_000,
            ticks: range.count, samples: 0, samplesLeft: 0)
    }

    @Test func `what is stored as it was produced is whole`() {
        var evidence = DeviceEvidence(truth: truth(100))
        evidence.blocks = [Block(ticks(60..<100)), Block(ticks(0..<60))]
        let account = DeviceAccount(evidence)
        #expect(account.findings == [])
        var right = SampleCounts()
        right.produced = samples(0..<100)
        right.stored = right.produced
        #expect(account.counts == right)
    }

    @Test func `a block that is missing is lost`() {
        var evidence = DeviceEvidence(truth: truth(100))
        evidence.blocks = [Block(ticks(0..<60)), Block(ticks(70..<100))]
        let counts = DeviceAccount(evidence).counts
        #expect(counts.lost == samples(60..<70))
        #expect(counts.stored == samples(0..<60) + samples(70..<100))
    }

    @Test func `a single sample that is missing from a tick is lost`() {
        var some = ticks(0..<10)
        some[4].readings.removeLast()
        var evidence = DeviceEvidence(truth: truth(10))
        evidence.blocks = [Block(some)]
        #expect(DeviceAccount(evidence).counts.lost == 1)
    }

    @Test func `ticks that are in two blocks are duplicated`() {
        var evidence = DeviceEvidence(truth: truth(20))
        evidence.blocks = [Block(ticks(0..<12)), Block(ticks(10..<20))]
        let counts = DeviceAccount(evidence).counts
        #expect(counts.duplicated == samples(10..<12))
        #expect(counts.lost == 0)
    }

    @Test func `one bit of one value is seen`() {
        var some = ticks(0..<10)
        some[3].readings[2] = Reading(some[3].readings[2].series, Double(bitPattern: some[3].readings[2].value.bitPattern ^ 1))
        var evidence = DeviceEvidence(truth: truth(10))
        evidence.blocks = [Block(some)]
        #expect(DeviceAccount(evidence).counts.altered == 1)
    }

    @Test func `a wrong time is seen, and one that the clock's step explains is right`() {
        var evidence = DeviceEvidence(truth: truth(20))
        evidence.blocks = [Block(ticks(0..<10, movedBy: 60_000)), Block(ticks(10..<20))]
        #expect(DeviceAccount(evidence).counts.altered == samples(0..<10))
        // The clock was set forth by a minute at tick 10: what was not sealed then was moved.
        for number in 10..<20 {
            evidence.truth.ticks[number].clockOffset = 60_000
            evidence.truth.ticks[number].at += 60_000
        }
        evidence.blocks = [Block(ticks(0..<20, movedBy: 60_000))]
        #expect(DeviceAccount(evidence).counts.altered == 0)
    }

    @Test func `a sample that was never produced is seen`() {
        var evidence = DeviceEvidence(truth: truth(10))
        evidence.blocks = [Block(ticks(0..<12))]
        #expect(DeviceAccount(evidence).counts.altered == samples(10..<12))
    }

    @Test func `ticks that a receipt tells of are evicted, and no more of them than it tells of`() {
        var evidence = DeviceEvidence(truth: truth(100))
        evidence.blocks = [Block(ticks(50..<100))]
        evidence.notices.receipts = [receipt(0...39)]
        let counts = DeviceAccount(evidence).counts
        #expect(counts.evicted == samples(0..<40))
        #expect(counts.lost == samples(40..<50))
    }

    @Test(arguments: [Truth.Fate.unknown, .unwritten])
    func `a tick that the device could not finish noting counts if it is there, one that was refused needs a receipt`(fate: Truth.Fate) {
        var evidence = DeviceEvidence(truth: truth(10))
        evidence.truth.ticks[9].fate = fate
        evidence.blocks = [Block(ticks(0..<9))]
        #expect(DeviceAccount(evidence).counts.lost == (fate == .unknown ? 0 : samples(9..<10)))
        evidence.notices.receipts = [receipt(9...9, cause: "unwritten")]
        #expect(DeviceAccount(evidence).counts.lost == 0)
    }

    @Test func `ticks that are still in the buffer are neither lost nor stored`() {
        var evidence = DeviceEvidence(truth: truth(10))
        evidence.blocks = [Block(ticks(0..<6))]
        evidence.left = [6, 7, 8, 9]
        let counts = DeviceAccount(evidence).counts
        #expect(counts.left == samples(6..<10))
        #expect(counts.lost == 0)
    }

    @Test func `damage excuses what was in the file, and only if the device has told of it`() {
        var evidence = DeviceEvidence(truth: truth(30))
        evidence.blocks = [Block(ticks(0..<10)), Block(ticks(20..<30))]
        evidence.damages = [Damage(ticks: Set(12..<20), at: Self.start + 19_500, wasInUse: false)]
        #expect(DeviceAccount(evidence).counts.lost == samples(10..<20))
        evidence.notices.damageHeardAt = [Self.start + 25_000]
        let counts = DeviceAccount(evidence).counts
        #expect(counts.damaged == samples(12..<20))
        #expect(counts.lost == samples(10..<12))
    }
}
