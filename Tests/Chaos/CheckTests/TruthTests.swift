import CollectorFixtures
import SimulatedFleet
import Telemetry
import Testing

@Suite struct TruthTests {
    private let scratch = ScratchDirectory()
    private var path: String { scratch.path + "/edge.truth" }

    private func log() throws -> TruthLog { try TruthLog(path: path, seed: 3, number: 2, seriesCount: 4) }

    @Test func `what was written down is read back, and goes on after a kill`() throws {
        let first = try log()
        try first.taking(at: 1_000, clockOffset: 0)
        try first.taken(isKept: true, late: 2)
        try first.taking(at: 2_000, clockOffset: 0)
        // Killed here.
        let second = try log()
        #expect(second.nextTick == 2)
        try second.taking(at: 70_000, clockOffset: 60_000)
        try second.taken(isKept: false, late: 0)
        let truth = try Truth(path: path)
        #expect(
            truth.ticks == [
                Truth.Tick(at: 1_000, clockOffset: 0, late: 2, fate: .kept), Truth.Tick(at: 2_000, clockOffset: 0, fate: .unknown),
                Truth.Tick(at: 70_000, clockOffset: 60_000, fate: .unwritten),
            ])
        #expect(truth.machine.readings(at: 17) == SimulatedMachine(seed: 3, number: 2, seriesCount: 4, isChecked: true).readings(at: 17))
    }

    @Test func `the number after the last is found behind many ticks`() throws {
        let first = try log()
        for tick in 0..<1_000 {
            try first.taking(at: Int64(tick), clockOffset: 0)
            try first.taken(isKept: true, late: 0)
        }
        #expect(try log().nextTick == 1_000)
    }

    @Test func `a line that is none is an error that names it`() throws {
        scratch.write("edge.truth", Array("farwatch-truth 1 3 2 4\nt 1 1000 0\n".utf8))
        #expect(throws: Truth.Malformed.self) { try Truth(path: path) }
    }

    @Test func `machines of one fleet differ, and counters never fall`() {
        let one = SimulatedMachine(seed: 3, number: 1, seriesCount: 15, isChecked: false)
        let other = SimulatedMachine(seed: 3, number: 2, seriesCount: 15, isChecked: false)
        #expect(one.readings(at: 5) != other.readings(at: 5))
        for (index, series) in one.series.enumerated() where series.metric.hasSuffix("_total") {
            let values = (0..<1_000).compactMap { one.value(of: index, at: $0) }
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }, "\(series)")
        }
    }
}
