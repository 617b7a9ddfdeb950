import ChaosCheck
import SimulatedFleet
import Telemetry
import Testing

/// Thinned blocks, made up here as the format's page says, against the ticks they stand for.
@Suite struct ThinnedTests {
    private static let start: Int64 = 1_767_225_600_000
    private let machine = SimulatedMachine(seed: 9, number: 3, seriesCount: 15, isChecked: true)

    private func truth(_ count: Int) -> Truth {
        Truth(machine: machine, ticks: (0..<count).map { Truth.Tick(at: Self.start + Int64($0) * 1_000, clockOffset: 0, fate: .kept) })
    }

    private func raw(_ range: Range<Int>) -> Block {
        Block(range.map { Tick(at: Self.start + Int64($0) * 1_000, readings: machine.readings(at: Int64($0))) })
    }

    private func thinned(_ range: Range<Int>) -> Tick {
        var readings: [Reading] = []
        for (index, series) in machine.series.enumerated() {
            let values = range.compactMap { machine.value(of: index, at: $0) }
            guard let last = values.last else { continue }
            if series.metric.hasSuffix("_total") {
                readings.append(Reading(series, last))
                continue
            }
            readings.append(Reading(series, values.reduce(0, +) / Double(values.count)))
            for (suffix, value) in [(":min", values.min() ?? 0), (":max", values.max() ?? 0), (":count", Double(values.count))] {
                readings.append(Reading(Series(series.metric + suffix, series.labels), value))
            }
        }
        return Tick(at: Self.start + Int64(range.upperBound - 1) * 1_000, readings: readings)
    }

    private func account(_ blocks: [Block]) -> DeviceAccount {
        var evidence = DeviceEvidence(truth: truth(180))
        evidence.blocks = blocks
        return DeviceAccount(evidence)
    }

    private var samples: Int { (0..<120).reduce(0) { $0 + machine.readings(at: Int64($1)).count } }

    @Test func `ticks that a thinned block stands for are thinned`() {
        let account = account([raw(120..<180), Block([thinned(0..<60), thinned(60..<120)])])
        #expect(account.findings == [])
        #expect(account.counts.thinned == samples)
        #expect(account.counts.lost == 0)
    }

    @Test(arguments: [":min", ":max", ":count", ""])
    func `a wrong number in a thinned block is seen`(suffix: String) {
        var wrong = thinned(0..<60)
        let index = wrong.readings.firstIndex { $0.series.metric == "cpu_usage" + suffix }
        if let index { wrong.readings[index] = Reading(wrong.readings[index].series, wrong.readings[index].value + 0.01) }
        #expect(account([raw(120..<180), Block([wrong, thinned(60..<120)])]).counts.altered > 0)
    }

    @Test func `a tick that is stored both as it was and thinned is duplicated`() {
        #expect(account([raw(100..<180), Block([thinned(0..<60), thinned(60..<120)])]).counts.duplicated > 0)
    }

    @Test func `ticks between thinned ones that none stands for are lost`() {
        let account = account([raw(120..<180), Block([thinned(0..<60), thinned(62..<120)])])
        #expect(account.counts.lost == machine.readings(at: 60).count + machine.readings(at: 61).count)
    }
}
