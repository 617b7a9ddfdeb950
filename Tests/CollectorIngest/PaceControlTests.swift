import CollectorFixtures
import CollectorIngest
import Telemetry
import Testing

@Suite struct PaceControlTests {
    private typealias Reading = PaceControl.Reading

    /// A second a step from `from` on.
    private func run(_ control: inout PaceControl, from: Int64, seconds: Int64, _ change: (inout Reading) -> Void) {
        for second in 0..<seconds {
            var reading = Reading(now: from + second * 1_000)
            reading.devices = 10
            change(&reading)
            control.observe(reading)
        }
    }

    @Test func `who is not behind asks nothing of anybody`() {
        var control = PaceControl()
        run(&control, from: 0, seconds: 100) {
            $0.oldestAge = PaceControl.lagMax
            $0.fill = PaceControl.fillMax
            $0.bytesCommitted = 1_000_000
            $0.commitMilliseconds = 500
        }
        #expect(control.pace == nil)
    }

    @Test(arguments: ["lag", "fill", "down"])
    func `messages that wait, a full queue and a store that is down slow the fleet`(cause: String) throws {
        var control = PaceControl()
        run(&control, from: 0, seconds: 1) {
            if cause == "lag" { $0.oldestAge = PaceControl.lagMax + 1 }
            if cause == "fill" { $0.fill = PaceControl.fillMax + 0.01 }
            if cause == "down" { $0.isStoreDown = true }
        }
        let pace = try #require(control.pace)
        #expect(pace >= PaceControl.deviceMin && pace < 4 * 1024 * 1024 / 10)
    }

    @Test func `a lag that lasts slows it further, down to what every device may have`() throws {
        var control = PaceControl()
        run(&control, from: 0, seconds: 1) { $0.oldestAge = 5_000 }
        let first = try #require(control.pace)
        run(&control, from: 1_000, seconds: 3) { $0.oldestAge = 5_000 }
        let later = try #require(control.pace)
        #expect(later < first)
        run(&control, from: 4_000, seconds: 300) { $0.oldestAge = 5_000 }
        #expect(control.pace == PaceControl.deviceMin)
    }

    @Test func `between too long and no longer nothing changes`() {
        var control = PaceControl()
        run(&control, from: 0, seconds: 2) { $0.oldestAge = 5_000 }
        let pace = control.pace
        run(&control, from: 2_000, seconds: 50) { $0.oldestAge = PaceControl.lagMax }
        #expect(control.pace == pace && pace != nil)
    }

    @Test func `calm lets it go, faster and faster and then altogether`() throws {
        var control = PaceControl()
        run(&control, from: 0, seconds: 5) { $0.oldestAge = 5_000 }
        var paces: [Int] = []
        for second in 5..<60 as Range<Int64> {
            run(&control, from: second * 1_000, seconds: 1) { $0.oldestAge = 10 }
            guard let pace = control.pace else { break }
            paces.append(pace)
        }
        #expect(control.pace == nil)
        #expect(paces.count > 5 && zip(paces, paces.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `more steps than one a second are not taken`() {
        var control = PaceControl()
        run(&control, from: 0, seconds: 1) { $0.oldestAge = 5_000 }
        let pace = control.pace
        for millisecond in 1..<1_000 as Range<Int64> {
            var reading = Reading(now: millisecond)
            reading.oldestAge = 5_000
            reading.devices = 10
            control.observe(reading)
        }
        #expect(control.pace == pace)
    }

    @Test func `the fleet's rate is shared among those that are there`() throws {
        var few = PaceControl()
        var many = PaceControl()
        run(&few, from: 0, seconds: 1) { $0.isStoreDown = true }
        run(&many, from: 0, seconds: 1) {
            $0.isStoreDown = true
            $0.devices = 1_000
        }
        let (fewer, more) = (try #require(few.pace), try #require(many.pace))
        #expect(abs(fewer - 100 * more) < 100)
    }

    @Test func `after an outage those that were there before it still count`() throws {
        var control = PaceControl()
        run(&control, from: 0, seconds: 1) { $0.devices = 1_000 }
        run(&control, from: 1_000, seconds: 300) {
            $0.isStoreDown = true
            $0.devices = 0
        }
        let pace = try #require(control.pace)
        #expect(pace * 1_000 <= 4 * 1024 * 1024)
        run(&control, from: 301_000, seconds: 1) { $0.devices = 3 }
        #expect(try #require(control.pace) < pace * 2)
    }

    @Test func `a pace that nobody has heard of for long is none`() {
        var control = PaceControl()
        run(&control, from: 0, seconds: 1) { $0.oldestAge = 5_000 }
        #expect(control.pace(at: Acknowledgement.paceValidity) != nil)
        #expect(control.pace(at: Acknowledgement.paceValidity + 1) == nil)
        run(&control, from: Acknowledgement.paceValidity + 1, seconds: 1) { $0.oldestAge = 0 }
        #expect(control.pace == nil)
    }

    @Test func `what stores were seen to take is what the fleet begins with`() throws {
        var control = PaceControl()
        run(&control, from: 0, seconds: 60) {
            $0.oldestAge = 1_000
            $0.bytesCommitted = 100_000
            $0.commitMilliseconds = 1_000
        }
        run(&control, from: 60_000, seconds: 1) { $0.oldestAge = 5_000 }
        #expect((4_000...8_000).contains(try #require(control.pace)))
    }

    @Test func `a device counts for a minute after it was last heard of`() {
        var active = ActiveDevices()
        active.note([SampleBatches.device("a"), SampleBatches.device("b")], at: 0)
        active.note([SampleBatches.device("b")], at: 50_000)
        active.note([], at: 60_001)
        #expect(active.count == 1)
    }
}
